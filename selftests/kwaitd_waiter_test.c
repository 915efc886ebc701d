// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody waits for kwaitd. Tasks are queued on a CPU that kwaitd does not get, and somebody
 * waits until they are released: who waits releases them.
 *
 * If this fails, wait4(), execve(), the end of a container and others take as long as kwaitd
 * needs to get a busy CPU; and who looks at a process that is dead takes it for alive.
 *
 * What is counted is who released the tasks. Another CPU steals them, after a while, from
 * the CPU that kwaitd does not get. On a machine that does not run the guest all the time
 * that may happen in any round. Such a round is repeated, until enough rounds were good.
 */
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/cpu.h"
#include "lib/file.h"
#include "lib/harness.h"
#include "lib/module.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/thread.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define ROUNDS 5		/* that are good */
#define DEAD 4			/* tasks that are queued in a round */
#define RT_RUNTIME "/proc/sys/kernel/sched_rt_runtime_us"

/* A process with threads, of which some are dead, and some wait until they are told. */
static struct {
	int go;			/* those that are alive may exit */
	pid_t alive[2], dead[DEAD];
} group;

static bool is_set(const int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static int exits_when_told(void *arg)
{
	while (!is_set(&group.go))
		syscall(SYS_sched_yield);
	/* The wait status, if it is the last one. */
	syscall(SYS_exit, KW_CODE);
	return 0;
}

/*
 * The caller gets threads that die while two others, besides itself, are alive. All have the
 * caller's real-time priority and CPU, so kwaitd does not get to run.
 */
static void make_group(int (*first)(void *))
{
	char *stacks = kw_stacks(DEAD + 2);
	int i;

	if (!stacks || kw_thread(first, stacks, NULL, &group.alive[0]) < 0 ||
	    kw_thread(exits_when_told, stacks + KW_STACK, NULL, &group.alive[1]) < 0)
		_exit(1);
	for (i = 0; i < DEAD; i++) {
		if (kw_thread(kw_thread_exits, stacks + (i + 2) * KW_STACK, NULL,
			      &group.dead[i]) < 0)
			_exit(2);
	}
	for (i = 0; i < DEAD; i++) {
		while (is_set(&group.dead[i]))
			sched_yield();
	}
}

/* The two others end, too. */
static void end_others(void)
{
	pid_t last[2] = { group.alive[0], group.alive[1] };
	int i;

	__atomic_store_n(&group.go, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++) {
		while (!syscall(SYS_tgkill, getpid(), last[i], 0))
			sched_yield();
	}
}

static void exit_after_others(void)
{
	make_group(exits_when_told);
	end_others();
	syscall(SYS_exit, KW_CODE);
}

/* Does not wait for the others to be gone. */
static void exit_group(void)
{
	make_group(exits_when_told);
	syscall(SYS_exit_group, KW_CODE);
}

static void exit_before_others(void)
{
	make_group(exits_when_told);
	__atomic_store_n(&group.go, 1, __ATOMIC_RELEASE);
	syscall(SYS_exit, KW_CODE);
}

static int execs(void *arg)
{
	static char *const argv[] = { "sh", "-c", "exit 7", NULL };

	while (arg && !is_set(&group.go))
		syscall(SYS_sched_yield);
	syscall(SYS_execve, "/bin/sh", argv, NULL);
	syscall(SYS_exit_group, 1);
	return 0;
}

static int execs_when_told(void *arg)
{
	return execs(&group);
}

static void exec_by_leader(void)
{
	make_group(exits_when_told);
	execs(NULL);
}

static void exec_by_thread(void)
{
	make_group(execs_when_told);
	__atomic_store_n(&group.go, 1, __ATOMIC_RELEASE);
	for (;;)
		sched_yield();
}

/* The group must have one thread, the dead ones counted. */
static void unshare_user(void)
{
	make_group(exits_when_told);
	end_others();
	_exit(unshare(CLONE_NEWUSER) ? 3 : KW_CODE);
}

/* The init of a pid namespace, with detached processes that die before it */
static void end_namespace(void)
{
	int i, fds[2];
	pid_t pid;
	char c;

	if (pipe(fds))
		_exit(1);
	for (i = 0; i < DEAD; i++) {
		pid = kw_child(KW_DETACHED, 0);
		if (pid < 0)
			_exit(2);
		if (!pid)
			_exit(0);
	}
	/* Returns when they have all closed the pipe, on their way out. */
	close(fds[1]);
	_exit(read(fds[0], &c, 1) ? 3 : KW_CODE);
}

static void fifo(int priority)
{
	const struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER, &param))
		_exit(4);
}

typedef bool waits_fn(pid_t pid);

static bool waits_pidfd(pid_t pid)
{
	struct pollfd p = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool ok = poll(&p, 1, KW_DEADLINE * 1000) == 1 && p.revents & POLLIN;

	close(p.fd);
	return ok;
}

static bool waits_tracer(pid_t pid)
{
	return !ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

/*
 * One process lives and ends, and is waited for. Return: was all that was queued released by
 * those who would have waited?
 */
static bool one_round(struct __test_metadata *_metadata, unsigned long flags,
		      void (*life)(void), waits_fn *waits)
{
	long stolen = kw_stat("stolen"), queued = kw_queued();
	long collected = kw_stat("collected"), reaped = kw_stat("reaped");
	int status = -1;
	pid_t pid;

	fifo(10);
	pid = kw_fork(flags | SIGCHLD);
	if (!pid)
		life();
	if (waits)
		EXPECT_TRUE(waits(pid));
	while (waitpid(pid, &status, __WALL | WNOHANG) != pid)
		sched_yield();
	fifo(0);
	EXPECT_EQ(KW_EXITED, status);
	EXPECT_TRUE(kw_until(kw_at_rest()));
	queued = kw_queued() - queued;
	EXPECT_LE(queued, DEAD);
	if (queued < DEAD || kw_stat("stolen") != stolen)
		return false;
	return kw_stat("collected") - collected == kw_stat("reaped") - reaped;
}

FIXTURE(waiter) {
	char runtime[256];
};

FIXTURE_SETUP(waiter)
{
	if (!kw_loaded())
		SKIP(_exit(255), "kwaitd is not loaded");
	ASSERT_TRUE(kw_until(kw_at_rest()));
	snprintf(self->runtime, sizeof(self->runtime), "%s", kw_read(RT_RUNTIME));
	ASSERT_EQ(0, kw_write(RT_RUNTIME, "-1"));
	ASSERT_EQ(0, kw_pin(0));
}

FIXTURE_TEARDOWN(waiter)
{
	EXPECT_EQ(0, kw_write(RT_RUNTIME, self->runtime));
}

static void rounds(struct __test_metadata *_metadata, unsigned long flags,
		   void (*life)(void), waits_fn *waits)
{
	int tries = 0, good = 0;

	EXPECT_TRUE(kw_until((tries++, good += one_round(_metadata, flags, life, waits),
			      good == ROUNDS || !_metadata->passed)));
	TH_LOG("%d of %d rounds were good", good, tries);
}

TEST_F(waiter, wait4)
{
	rounds(_metadata, 0, exit_after_others, NULL);
}

TEST_F(waiter, leader_exits_first)
{
	rounds(_metadata, 0, exit_before_others, NULL);
}

TEST_F(waiter, exit_group)
{
	rounds(_metadata, 0, exit_group, NULL);
}

TEST_F(waiter, pidfd)
{
	rounds(_metadata, 0, exit_after_others, waits_pidfd);
}

TEST_F(waiter, tracer)
{
	rounds(_metadata, 0, exit_after_others, waits_tracer);
}

TEST_F(waiter, exec_by_leader)
{
	rounds(_metadata, 0, exec_by_leader, NULL);
}

TEST_F(waiter, exec_by_thread)
{
	rounds(_metadata, 0, exec_by_thread, NULL);
}

TEST_F(waiter, unshare)
{
	rounds(_metadata, 0, unshare_user, NULL);
}

TEST_F(waiter, end_of_namespace)
{
	rounds(_metadata, CLONE_NEWPID, end_namespace, NULL);
}

TEST_HARNESS_MAIN
