// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation that loading the module makes fails once: the first, the second, and so
 * on until there are no more. A load that fails leaves nothing behind. One that does not
 * fail can do all that it promises. The same goes for what may allocate later: an
 * adoption, a sweep, and auto_adopt. If it fails it changes nothing, loses no task, and
 * can be asked for again.
 *
 * If this fails, a machine that is short of memory gets half a module, or a reaper loses
 * children. Needs a kernel with CONFIG_FAULT_INJECTION. KWAITD_KO names the module's file.
 * With KWAITD_FAULT_STEP=N only every Nth allocation of the load fails.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/ctl.h"
#include "lib/end.h"
#include "lib/file.h"
#include "lib/module.h"
#include "lib/patience.h"
#include "lib/reaper.h"
#include "lib/reaper_fixture.h"
#include "lib/tasks.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#define SELF "/proc/thread-self/fail-nth"
/*
 * Who sweeps has a thread created, and allocates the order for it. What a thread takes
 * is allocated by kthreadd, which the caller's fail-nth does not reach.
 */
#define KTHREADD "/proc/2/task/2/fail-nth"

#define STEP 64			/* that one thread sweeps */
#define ORPHANS (STEP + 6)
#define AUTO_ADOPT KW_PARAMS "auto_adopt"

static bool fault_injection(void)
{
	kw_write("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	kw_write("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	return !access(SELF, W_OK);
}

/* Have an allocation of that task fail. Return: for fail_over(); -1 and errno */
static int fail_nth(const char *task, unsigned int nth)
{
	int fd = open(task, O_RDWR | O_CLOEXEC);
	char num[16];

	snprintf(num, sizeof(num), "%u", nth);
	return pwrite(fd, num, strlen(num), 0) < 0 ? -1 : fd;
}

/* Return: 0 if it has failed */
static int fail_over(int fd)
{
	char num[16];
	ssize_t n = pread(fd, num, sizeof(num) - 1, 0);

	num[n > 0 ? n : 0] = '\0';
	pwrite(fd, "0", 1, 0);
	close(fd);
	return atoi(num);
}

/* Return: errno of the load; *left: 0 if an allocation failed */
static int load_failing(unsigned int nth, int *left)
{
	int ko = open(getenv("KWAITD_KO"), O_RDONLY | O_CLOEXEC);
	int fail = fail_nth(SELF, nth), err = 0;

	if (fail < 0)
		return -errno;
	if (syscall(SYS_finit_module, ko, "", 0))
		err = errno;
	*left = fail_over(fail);
	close(ko);
	return err;
}

/* The same of a command of /dev/kwaitd, and of whose allocations are meant */
static int ctl_failing(const char *task, unsigned int nth, unsigned long cmd, void *arg,
		       int *left)
{
	int dev = open("/dev/kwaitd", O_RDWR | O_CLOEXEC);
	int fail = fail_nth(task, nth), err = 0;

	if (fail < 0)
		return -errno;
	if (ioctl(dev, cmd, arg))
		err = errno;
	*left = fail_over(fail);
	close(dev);
	return err;
}

/* and of auto_adopt */
static int write_failing(unsigned int nth, const char *val, int *left)
{
	int fd = open(AUTO_ADOPT, O_WRONLY | O_CLOEXEC);
	int fail = fail_nth(SELF, nth), err = 0;

	if (fail < 0)
		return -errno;
	if (write(fd, val, strlen(val)) < 0)
		err = errno;
	*left = fail_over(fail);
	close(fd);
	return err;
}

static bool nothing_left(void)
{
	pid_t pid;
	char name[32];
	int cpu;

	for (cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF); cpu++) {
		snprintf(name, sizeof(name), "kwaitd/%d", cpu);
		if (kw_named(name, &pid))
			return false;
	}
	return access("/dev/kwaitd", F_OK) && access("/sys/module/kwaitd", F_OK) &&
	       access(KW_DEBUGFS, F_OK);
}

/* A detached child ends as one. */
static bool works(void)
{
	pid_t pid = kw_child(KW_DETACHED, 0);
	int status;

	if (!pid)
		_exit(KW_CODE);
	return pid > 0 && kw_ends(KW_DETACHED, pid, &status);
}

TEST_F_TIMEOUT(kwaitd, each_allocation, 5 * 3600)
{
	unsigned int nth, failed = 0, step = 1;
	const char *every = getenv("KWAITD_FAULT_STEP");
	int err, left = 0;

	if (!getenv("KWAITD_KO") || !fault_injection())
		SKIP(return, "no fault injection");
	if (every)
		step = atoi(every);
	ASSERT_TRUE(kw_until(kw_unload()));
	for (nth = 1;; nth += step) {
		err = load_failing(nth, &left);
		ASSERT_LE(0, err);
		if (err) {
			failed++;
			EXPECT_EQ(ENOMEM, err) TH_LOG("allocation %u", nth);
			EXPECT_TRUE(kw_until(nothing_left()));
			continue;
		}
		/* It did without. */
		EXPECT_TRUE(works()) TH_LOG("allocation %u", nth);
		if (left)
			break;
		ASSERT_TRUE(kw_until(kw_unload()));
	}
	TH_LOG("%u allocations, of which the load needs %u", nth - 1, failed);
	EXPECT_LT(10U, failed * step);
}

/* With two own children, and orphans that are zombies already */
TEST_F(reaper, adopt)
{
	struct kwaitd_adopt arg = { .pidfd = kw_pidfd(self->r.pid) };
	unsigned int nth, failed = 0;
	struct kwaitd_reaper info;
	int err, left = 0, i;
	long own[2];

	if (!fault_injection())
		SKIP(return, "no fault injection");
	ASSERT_EQ(ORPHANS, kw_tell(&self->r, KW_ORPHANS, ORPHANS));
	ASSERT_TRUE(kw_until(kw_zombies_of(self->r.pid) == ORPHANS));
	kw_tell(&self->r, KW_SIGCHLD, 0);
	for (nth = 1; !left; nth++) {
		for (i = 0; i < 2; i++)
			own[i] = kw_tell(&self->r, KW_CHILD, KW_BY_FORK);
		err = ctl_failing(SELF, nth, KWAITD_IOC_ADOPT, &arg, &left);
		ASSERT_LE(0, err);
		if (err) {
			failed++;
			EXPECT_EQ(ENOMEM, err) TH_LOG("allocation %u", nth);
			EXPECT_FALSE(kw_listed(self->r.pid, &info));
			EXPECT_EQ(0, kw_stat("adopted"));
			EXPECT_EQ(0, kw_stat("own_children"));
			EXPECT_EQ(ORPHANS, kw_zombies_of(self->r.pid));
			EXPECT_TRUE(kw_child_ends(&self->r, own[1]));
			ASSERT_EQ(0, kw_ctl(KWAITD_IOC_ADOPT, &arg));
		}
		EXPECT_EQ(err ? 1U : 2U, arg.own) TH_LOG("allocation %u", nth);
		EXPECT_EQ((__u32)ORPHANS, arg.zombies);
		EXPECT_TRUE(kw_listed(self->r.pid, &info));
		EXPECT_TRUE(kw_child_ends(&self->r, own[0]));
		EXPECT_TRUE(err || kw_child_ends(&self->r, own[1]));
		EXPECT_EQ(ORPHANS, kw_zombies_of(self->r.pid));
		ASSERT_EQ(0, kw_ctl(KWAITD_IOC_RELEASE, &arg));
	}
	TH_LOG("%u allocations, of which it needs %u", nth - 2, failed);
	/* of the adoption, and the notes for three: one is always at hand */
	EXPECT_LE(4U, failed);
	close(arg.pidfd);
}

/* Zombies for two threads, and an own child among them */
static void sweeps(struct __test_metadata *_metadata, struct kw_reaper *r,
		   const char *task)
{
	struct kwaitd_reap arg = { .pidfd = kw_pidfd(r->pid) };
	struct kwaitd_reaper before, after;
	unsigned int nth, failed = 0;
	struct kw_answer a;
	int err, left = 0;
	long own, swept;

	for (nth = 1; !left; nth++) {
		ASSERT_EQ(ORPHANS, kw_tell(r, KW_ORPHANS, ORPHANS));
		ASSERT_TRUE(kw_until(kw_zombies_of(r->pid) == ORPHANS));
		ASSERT_EQ(0, kw_adopt(r->pid));
		own = kw_tell(r, KW_CHILD, KW_BY_FORK);
		ASSERT_EQ(0, kw_tell2(r, KW_KILL, own, SIGUSR1).ret);
		ASSERT_TRUE(kw_until(kw_zombies_of(r->pid) == ORPHANS + 1));
		ASSERT_TRUE(kw_listed(r->pid, &before));

		err = ctl_failing(task, nth, KWAITD_IOC_REAP, &arg, &left);
		ASSERT_LE(0, err);
		ASSERT_TRUE(kw_listed(r->pid, &after));
		swept = after.swept;
		failed += swept < ORPHANS;
		if (err) {
			EXPECT_EQ(ENOMEM, err) TH_LOG("allocation %u", nth);
			EXPECT_EQ(0, swept) TH_LOG("allocation %u", nth);
		} else {
			/* The first step may be all that there was memory for. */
			EXPECT_EQ(swept, arg.nr) TH_LOG("allocation %u", nth);
			EXPECT_TRUE(swept == ORPHANS || swept == STEP)
				TH_LOG("allocation %u: %ld", nth, swept);
		}
		before.swept = swept;
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
		EXPECT_EQ(ORPHANS + 1 - swept, kw_zombies_of(r->pid));

		EXPECT_EQ(ORPHANS - swept, kw_reap(r->pid, 0, 0));
		EXPECT_EQ(1, kw_zombies_of(r->pid));
		a = kw_tell2(r, KW_WAIT, own, 0);
		EXPECT_EQ(own, a.ret);
		EXPECT_EQ(KW_EXITED, a.status);
		ASSERT_EQ(0, kw_release(r->pid));
	}
	TH_LOG("%u allocations, of which it needs %u", nth - 2, failed);
	/* for each of both threads */
	EXPECT_LE(2U, failed);
	close(arg.pidfd);
}

TEST_F(reaper, reap)
{
	if (!fault_injection())
		SKIP(return, "no fault injection");
	sweeps(_metadata, &self->r, SELF);
}

/* Others who want a thread may come in between: then it goes as if none had failed. */
TEST_F(reaper, reap_kthreadd)
{
	if (!fault_injection())
		SKIP(return, "no fault injection");
	sweeps(_metadata, &self->r, KTHREADD);
}

TEST_F(reaper, auto_adopt)
{
	static const char before[] = "cgroup:/kwaitd_before", after[] = "userns:1";
	unsigned int nth, failed = 0;
	int err, left = 0;

	if (!fault_injection())
		SKIP(return, "no fault injection");
	for (nth = 1; !left; nth++) {
		ASSERT_EQ(0, kw_write(AUTO_ADOPT, before));
		err = write_failing(nth, after, &left);
		ASSERT_LE(0, err);
		if (err) {
			failed++;
			EXPECT_EQ(ENOMEM, err) TH_LOG("allocation %u", nth);
			EXPECT_STREQ(before, kw_read(AUTO_ADOPT));
			EXPECT_EQ(0, kw_write(AUTO_ADOPT, after));
		}
		EXPECT_STREQ(after, kw_read(AUTO_ADOPT)) TH_LOG("allocation %u", nth);
	}
	/* sysfs' copy, and the policy */
	EXPECT_LE(2U, failed);
}

TEST_HARNESS_MAIN
