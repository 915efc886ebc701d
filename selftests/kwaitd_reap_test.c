// SPDX-License-Identifier: GPL-2.0
/*
 * Zombies of an adopted reaper: those that were there before the adoption, those in their
 * grace time, and those that come after it. Also many of them at once.
 *
 * If this fails, old zombies stay, a reaper cannot wait for its orphans in the grace time,
 * or a sweep takes children that are not orphans, or stops the machine.
 */
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/ctl.h"
#include "lib/file.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/reaper.h"
#include "lib/reaper_fixture.h"
#include "lib/tasks.h"

#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <time.h>

#define THREADS_MAX "/proc/sys/kernel/threads-max"
#define ORPHANS kw_amount(200, 500)	/* more than three steps */
#define SECOND 1000000000ULL

/* Zombies of before the adoption are left, until asked for. */
TEST_F(reaper, before)
{
	struct kwaitd_reaper info;
	long own, pid;

	own = kw_tell(&self->r, KW_CHILD, KW_BY_FORK);
	ASSERT_EQ(ORPHANS, kw_tell(&self->r, KW_ORPHANS, ORPHANS));
	ASSERT_TRUE(kw_until(kw_zombies_of(self->r.pid) == ORPHANS));
	EXPECT_EQ(-ENOENT, kw_reap(self->r.pid, 0, 0));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	EXPECT_EQ(ORPHANS, kw_zombies_of(self->r.pid));

	/* An own child that dies after the adoption is known as one. */
	pid = kw_tell(&self->r, KW_CHILD, KW_BY_FORK);
	ASSERT_EQ(0, kw_tell2(&self->r, KW_KILL, pid, SIGUSR1).ret);
	ASSERT_TRUE(kw_until(kw_zombies_of(self->r.pid) == ORPHANS + 1));

	EXPECT_EQ(ORPHANS, kw_reap(self->r.pid, 0, KWAITD_REAP_DRY_RUN));
	EXPECT_EQ(0, kw_reap(self->r.pid, 3600 * SECOND, 0));
	EXPECT_EQ(ORPHANS + 1, kw_zombies_of(self->r.pid));
	EXPECT_EQ(ORPHANS, kw_reap(self->r.pid, 0, 0));
	EXPECT_EQ(1, kw_zombies_of(self->r.pid));
	EXPECT_EQ(0, kw_reap(self->r.pid, 0, 0));
	ASSERT_TRUE(kw_listed(self->r.pid, &info));
	EXPECT_EQ(ORPHANS, (long)info.swept);
	EXPECT_EQ(2U, info.own);

	EXPECT_EQ(pid, kw_tell(&self->r, KW_WAIT, pid));
	kw_tell(&self->r, KW_SIGCHLD, 0);
	EXPECT_TRUE(kw_child_ends(&self->r, own));
}

static __u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

/* A look for zombies as old as if they had died when they were born; *took: how long */
static long reap_by_birth(pid_t pid, __u64 born, __u64 *took)
{
	__u64 start = now();
	long nr = kw_reap(pid, start - born, KWAITD_REAP_DRY_RUN);

	*took = now() - start;
	return nr;
}

/*
 * How old a zombie is: as long as it has been dead, not since it was born. All is on one
 * CPU: the module asks the CPUs' own clocks, which differ.
 */
TEST_F(reaper, age)
{
	__u64 born, life, took;
	cpu_set_t cpu;
	long nr;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpu), &cpu));
	ASSERT_EQ(0, sched_setaffinity(self->r.pid, sizeof(cpu), &cpu));
	ASSERT_EQ(10, kw_tell(&self->r, KW_LIVING, 10));
	born = now();
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	/* These were own children when it was adopted; make them zombies of before. */
	ASSERT_EQ(0, kw_release(self->r.pid));
	/* However long they live, a look can be shorter. */
	usleep(200000);
	life = now() - born;
	ASSERT_EQ(0, kw_tell2(&self->r, KW_KILL, -1, SIGUSR1).ret);
	ASSERT_TRUE(kw_until(kw_zombies_of(self->r.pid) == 10));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	EXPECT_TRUE(kw_until((nr = reap_by_birth(self->r.pid, born, &took), took < life)));
	EXPECT_EQ(0, nr);
	/* They are old enough some time. */
	EXPECT_TRUE(kw_until(kw_reap(self->r.pid, SECOND / 2,
				     KWAITD_REAP_DRY_RUN) == 10));
	EXPECT_EQ(10, kw_reap(self->r.pid, SECOND / 2, 0));
}

/* Who traces an orphan has it to the end. */
TEST_F(reaper, traced)
{
	pid_t orphan;
	int status;

	ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_EQ(1, kw_tell(&self->r, KW_LIVING, 1));
	/* Its number here is that of one born after the reaper. */
	for (orphan = self->r.pid + 1; kw_proc_status(orphan, "PPid") != self->r.pid;)
		ASSERT_LT(++orphan, self->r.pid + 100);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, orphan, NULL, NULL));
	ASSERT_EQ(0, kill(orphan, SIGUSR1));
	ASSERT_TRUE(kw_until(kw_proc_state(orphan) == 'Z'));
	EXPECT_EQ(0, kw_reap(self->r.pid, 0, 0));
	EXPECT_EQ(orphan, waitpid(orphan, &status, __WALL));
	EXPECT_EQ(KW_EXITED, status);
	EXPECT_TRUE(kw_until(kw_gone(orphan)));
}

/* An orphan in its grace time is a zombie like any other, and its reaper's. */
TEST_F(reaper, grace)
{
	struct kwaitd_reaper info;
	struct kw_answer a;

	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "3600000"));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_EQ(ORPHANS, kw_tell(&self->r, KW_ORPHANS, ORPHANS));
	ASSERT_TRUE(kw_until(kw_zombies_of(self->r.pid) == ORPHANS));
	/* A moment later, as seen without the kernel's locks */
	EXPECT_TRUE(kw_until(kw_stat("grace") == ORPHANS));
	ASSERT_TRUE(kw_listed(self->r.pid, &info));
	EXPECT_EQ((__u32)ORPHANS, info.grace);
	EXPECT_EQ(1, kw_tell(&self->r, KW_SIGCHLD, 0));
	a = kw_tell2(&self->r, KW_WAIT, -1, 0);
	EXPECT_GT(a.ret, 0);
	EXPECT_EQ(KW_EXITED, a.status);
	/* The time of all is over at once. */
	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "1"));
	EXPECT_TRUE(kw_until(kw_zombies_of(self->r.pid) == 0));
	EXPECT_TRUE(kw_until(kw_stat("grace") == 0));
	ASSERT_TRUE(kw_listed(self->r.pid, &info));
	EXPECT_EQ(ORPHANS - 1, (long)info.swept);
	EXPECT_EQ(0U, info.grace);
	/* And that of new ones is a moment. */
	ASSERT_EQ(ORPHANS, kw_tell(&self->r, KW_ORPHANS, ORPHANS));
	EXPECT_TRUE(kw_until(kw_listed(self->r.pid, &info) &&
			     (long)info.swept == 2 * ORPHANS - 1));
	EXPECT_EQ(0, kw_zombies_of(self->r.pid));
}

/* A time that was long does not make one that is short now any longer. */
TEST_F(reaper, grace_shorter)
{
	struct kwaitd_reaper info;

	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "3600000"));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_EQ(1, kw_tell(&self->r, KW_ORPHANS, 1));
	ASSERT_TRUE(kw_until(kw_stat("grace") == 1));
	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "0"));
	ASSERT_TRUE(kw_until(kw_stat("grace") == 0));
	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "1"));
	ASSERT_EQ(1, kw_tell(&self->r, KW_ORPHANS, 1));
	EXPECT_TRUE(kw_until(kw_listed(self->r.pid, &info) && info.swept == 2));
}

/* Who has been waited for is not kept until its time is over. */
TEST_F(reaper, grace_forgets)
{
	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "3600000"));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_EQ(ORPHANS, kw_tell(&self->r, KW_ORPHANS, ORPHANS));
	ASSERT_TRUE(kw_until(kw_zombies_of(self->r.pid) == ORPHANS));
	EXPECT_TRUE(kw_until(kw_stat("grace") == ORPHANS));
	EXPECT_EQ(ORPHANS, kw_tell(&self->r, KW_COLLECT, 0));
	EXPECT_TRUE(kw_until(kw_stat("grace") == 0));
}

/* Where there are too many tasks for a thread that sweeps, they wait for one. */
TEST_F(reaper, grace_without_threads)
{
	struct kwaitd_reaper info;
	char max[256];

	snprintf(max, sizeof(max), "%s", kw_read(THREADS_MAX));
	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "3600000"));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_EQ(ORPHANS, kw_tell(&self->r, KW_ORPHANS, ORPHANS));
	ASSERT_TRUE(kw_until(kw_zombies_of(self->r.pid) == ORPHANS));
	ASSERT_EQ(0, kw_write(THREADS_MAX, "20"));
	EXPECT_EQ(-ENOMEM, kw_reap(self->r.pid, 0, 0));
	/* It returns when this has been tried for the first time. */
	EXPECT_EQ(0, kw_write(KW_PARAMS "grace_ms", "1"));
	EXPECT_EQ(ORPHANS, kw_stat("grace"));
	EXPECT_EQ(ORPHANS, kw_zombies_of(self->r.pid));
	EXPECT_EQ(0, kw_write(THREADS_MAX, max));
	EXPECT_TRUE(kw_until(kw_listed(self->r.pid, &info) &&
			     (long)info.swept == ORPHANS && !info.grace));
	EXPECT_EQ(0, kw_zombies_of(self->r.pid));
}

/* Whose adoption ends in the grace time stays a zombie. */
TEST_F(reaper, grace_then_released)
{
	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "3600000"));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_EQ(ORPHANS, kw_tell(&self->r, KW_ORPHANS, ORPHANS));
	ASSERT_TRUE(kw_until(kw_stat("grace") == ORPHANS));
	ASSERT_EQ(0, kw_release(self->r.pid));
	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "0"));
	ASSERT_TRUE(kw_until(kw_stat("grace") == 0));
	EXPECT_EQ(ORPHANS, kw_zombies_of(self->r.pid));
}

/* Who waits in the grace time, and at its end: each orphan is had once. */
TEST_F(reaper, grace_and_wait)
{
	struct kwaitd_reaper info;
	long collected = 0;
	int i;

	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "1"));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(64, kw_tell(&self->r, KW_ORPHANS, 64));
		collected += kw_tell(&self->r, KW_COLLECT, 0);
	}
	/* Until the last of them has died, too. */
	EXPECT_TRUE(kw_until(kw_listed(self->r.pid, &info) &&
			     collected + info.swept + info.orphans >= 20 * 64));
	EXPECT_EQ(20 * 64, collected + (long)info.swept + (long)info.orphans);
	EXPECT_TRUE(kw_until(kw_stat("grace") == 0));
	EXPECT_TRUE(kw_until(kw_zombies_of(self->r.pid) == 0));
	EXPECT_GT(info.swept, 0U);
}

/* A sweep of zombies that their reaper is just waiting for, in several steps */
TEST_F(reaper, reap_and_wait)
{
	struct kwaitd_reaper info;
	long collected, swept;
	int i;

	for (i = 0; i < kw_amount(5, 10); i++) {
		ASSERT_EQ(ORPHANS, kw_tell(&self->r, KW_ORPHANS, ORPHANS));
		ASSERT_TRUE(kw_until(kw_zombies_of(self->r.pid) == ORPHANS));
		ASSERT_EQ(0, kw_adopt(self->r.pid));
		ASSERT_TRUE(kw_send(&self->r, KW_COLLECT, 0, 0));
		swept = kw_reap(self->r.pid, 0, 0);
		collected = kw_answer(&self->r).ret;
		EXPECT_EQ(ORPHANS, collected + swept);
		EXPECT_EQ(0, kw_zombies_of(self->r.pid));
		ASSERT_TRUE(kw_listed(self->r.pid, &info));
		EXPECT_EQ(swept, (long)info.swept);
		ASSERT_EQ(0, kw_release(self->r.pid));
	}
}

/* Orphans are its zombies again when the adoption is over. */
TEST_F(reaper, released)
{
	long pid;

	ASSERT_EQ(0, kw_adopt(self->r.pid));
	pid = kw_tell(&self->r, KW_CHILD, KW_BY_FORK);
	ASSERT_EQ(ORPHANS, kw_tell(&self->r, KW_ORPHANS, ORPHANS));
	EXPECT_TRUE(kw_took_orphans(self->r.pid, ORPHANS));
	ASSERT_EQ(0, kw_release(self->r.pid));
	EXPECT_EQ(ENOENT, kw_release(self->r.pid));
	ASSERT_EQ(ORPHANS, kw_tell(&self->r, KW_ORPHANS, ORPHANS));
	EXPECT_TRUE(kw_until(kw_zombies_of(self->r.pid) == ORPHANS));
	kw_tell(&self->r, KW_SIGCHLD, 0);
	EXPECT_TRUE(kw_child_ends(&self->r, pid));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	EXPECT_EQ(ORPHANS, kw_zombies_of(self->r.pid));
}

/* Room for n more processes, in this namespace and new ones */
static bool make_room(long n)
{
	char max[32];

	snprintf(max, sizeof(max), "%ld", n + 10000);
	return !kw_write("/proc/sys/kernel/threads-max", max) &&
	       !kw_write("/proc/sys/kernel/pid_max", max);
}

static long env_number(const char *name, long otherwise)
{
	const char *val = getenv(name);

	return val ? atol(val) : otherwise;
}

/* Of an own child: all that it can be told to end with, and neighbours differ in it. */
static bool child_ends_by(struct kw_reaper *r, long pid, int sig)
{
	struct kw_answer a;

	kw_tell(r, KW_SIGCHLD, 0);
	if (kw_tell2(r, KW_KILL, pid, sig).ret)
		return false;
	a = kw_tell2(r, KW_WAIT, pid, 0);
	return a.ret == pid && a.status == W_EXITCODE(0, sig) &&
	       kw_tell(r, KW_SIGCHLD, 0);
}

/*
 * 10,000 orphans under an init that does not wait: none is left with adoption, all
 * of them without. Its own hundred children get through to it meanwhile, each with
 * its own status.
 */
TEST_F(reaper, many_orphans)
{
	const int orphans = env_number("KWAITD_ORPHANS", 500);
	const int signals = SIGRTMAX - SIGRTMIN + 1;
	int adopted, i, n;
	long own[100];

	ASSERT_TRUE(make_room(orphans));
	for (adopted = 1; adopted >= 0; adopted--) {
		ASSERT_EQ(0, adopted ? kw_adopt(self->r.pid) :
				       kw_release(self->r.pid));
		for (i = 0; i < 100; i++)
			own[i] = kw_tell(&self->r, KW_CHILD, i % (KW_BY_SIBLING + 1));
		for (n = 0; n < orphans; n += 100) {
			i = n / 100;
			ASSERT_EQ(100, kw_tell2(&self->r, KW_ORPHANS, 100, n % 3).ret);
			EXPECT_TRUE(i >= 100 || child_ends_by(&self->r, own[i],
							      SIGRTMIN + i % signals));
		}
		for (i = (orphans < 10000 ? orphans : 10000) / 100; i < 100; i++)
			EXPECT_TRUE(child_ends_by(&self->r, own[i],
						  SIGRTMIN + i % signals));
		EXPECT_TRUE(adopted ? kw_took_orphans(self->r.pid, orphans) :
			    kw_until(kw_zombies_of(self->r.pid) == orphans));
	}
}

/* What were born since boot, threads of the kernel among them */
static long forks(void)
{
	FILE *f = fopen("/proc/stat", "r");
	char line[8192];
	long n = -1;

	while (f && fgets(line, sizeof(line), f) && n < 0)
		sscanf(line, "processes %ld", &n);
	if (f)
		fclose(f);
	return n;
}

/* A sweep of 50,000: no soft lockup, no complaint of RCU (the guest's log tells). */
TEST_F(reaper, many_zombies)
{
	const long zombies = env_number("KWAITD_ZOMBIES", 1000);
	long n, before;

	ASSERT_TRUE(make_room(zombies));
	/* The namespace may have been born with less room. */
	kw_reaper_stop(&self->r);
	close(self->inner.fd);
	ASSERT_TRUE(kw_reaper_start(&self->r, CLONE_NEWPID, &self->inner));
	for (n = 0; n < zombies; n += 1000)
		ASSERT_EQ(1000, kw_tell(&self->r, KW_ORPHANS, 1000));
	ASSERT_TRUE(kw_until(kw_zombies_of(self->r.pid) == zombies));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	EXPECT_EQ(zombies, kw_reap(self->r.pid, 0, KWAITD_REAP_DRY_RUN));
	before = forks();
	EXPECT_EQ(zombies, kw_reap(self->r.pid, 0, 0));
	/* A thread dies for each 64, which is when interrupts are off. */
	EXPECT_GE(forks() - before, zombies / 64);
	EXPECT_EQ(0, kw_zombies_of(self->r.pid));
}

TEST_HARNESS_MAIN
