// SPDX-License-Identifier: GPL-2.0
/*
 * A dead task that kwaitd has yet to release counts against RLIMIT_NPROC and pids.max. No
 * fork may be refused because of that.
 *
 * If this fails, a program near such a limit gets EAGAIN from a fork that works without
 * the module.
 *
 * The forks are such that the kernel without kwaitd refuses none: parent and child are
 * SCHED_FIFO on one CPU, and the parent waits in vfork, so that a child is done with its
 * exit before the parent runs again. kwaitd, which is not SCHED_FIFO, hardly ever runs
 * meanwhile.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/cpu.h"
#include "lib/file.h"
#include "lib/kernel.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/thread.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define FORKS kw_amount(2000, 10000)
#define LIMIT 8
#define CGROUP "/sys/fs/cgroup/kwaitd_limits"

/* Return: how many of FORKS forks failed with EAGAIN; -1: or otherwise */
static int forks_refused(unsigned long flags)
{
	char *stack = (char *)kw_stacks(1) + KW_STACK;
	int i, refused = 0;

	for (i = 0; i < FORKS; i++) {
		if (clone(kw_thread_exits, stack,
			  CLONE_VM | CLONE_VFORK | flags, NULL) >= 0)
			continue;
		if (errno != EAGAIN)
			return -1;
		refused++;
	}
	return refused;
}

static int be_fifo(void)
{
	struct sched_param param = { .sched_priority = 1 };

	return kw_pin(0) ?: sched_setscheduler(0, SCHED_FIFO, &param);
}

static int be_limited_user(uid_t uid)
{
	const struct rlimit limit = { LIMIT, LIMIT };

	return setrlimit(RLIMIT_NPROC, &limit) ?: setuid(uid);
}

TEST_F(kwaitd, nproc)
{
	long inlined = kw_stat("inline_nproc");
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(be_fifo() || be_limited_user(4711) ||
		      forks_refused(CLONE_DETACHED));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(inlined + FORKS, kw_stat("inline_nproc"));
}

/* The control: children that stay are refused at the limit. */
TEST_F(kwaitd, nproc_is_a_limit)
{
	ASSERT_EQ(0, be_limited_user(4712));
	signal(SIGCHLD, SIG_DFL);
	EXPECT_EQ(FORKS - LIMIT + 1, forks_refused(SIGCHLD));
}

static int be_limited_cgroup(void)
{
	kw_write("/sys/fs/cgroup/cgroup.subtree_control", "+pids");
	mkdir(CGROUP, 0755);
	return kw_write(CGROUP "/pids.max", "8") ?:
	       kw_write(CGROUP "/cgroup.procs", "0");
}

TEST_F(kwaitd, pids_max)
{
	long inlined = kw_stat("inline_pids");
	pid_t pid;
	int status;

	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK))
		SKIP(return, "no cgroup2");
	pid = fork();
	if (!pid)
		_exit(be_limited_cgroup() || be_fifo() ||
		      forks_refused(CLONE_DETACHED));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(inlined + FORKS, kw_stat("inline_pids"));
	EXPECT_EQ(0, rmdir(CGROUP));
}

/* The control */
TEST_F(kwaitd, pids_max_is_a_limit)
{
	pid_t pid;
	int status;

	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK))
		SKIP(return, "no cgroup2");
	pid = fork();
	if (!pid)
		_exit(be_limited_cgroup() ||
		      forks_refused(SIGCHLD) != FORKS - LIMIT + 1);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(kw_until(!rmdir(CGROUP)));
}

/* Since 6.14 pid_max is a namespace's own, and can be looked at. */
TEST_F(kwaitd, pid_max)
{
	long inlined = kw_stat("inline_pid_max");
	char old[256];
	pid_t pid;

	if (!kw_kernel_since(6, 14))
		SKIP(return, "pid_max is global");
	snprintf(old, sizeof(old), "%s", kw_read("/proc/sys/kernel/pid_max"));
	ASSERT_EQ(0, kw_write("/proc/sys/kernel/pid_max", "1000"));
	pid = kw_fork(CLONE_DETACHED);
	if (!pid)
		_exit(0);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	EXPECT_EQ(0, kw_write("/proc/sys/kernel/pid_max", old));
	EXPECT_EQ(inlined + 1, kw_stat("inline_pid_max"));
	EXPECT_EQ(self->queued, kw_queued());
}

/* A limit far away is none: the queue is used. */
TEST_F(kwaitd, far_from_limits)
{
	long unaccounted = kw_unaccounted();
	pid_t pid = fork();
	int status;

	if (!pid) {
		const struct rlimit limit = { 10000, 10000 };

		_exit(setrlimit(RLIMIT_NPROC, &limit) || setuid(4713) ||
		      clone(kw_thread_exits, (char *)kw_stacks(1) + KW_STACK,
			    CLONE_VM | CLONE_VFORK | CLONE_DETACHED, NULL) < 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(kw_until(kw_unaccounted() == unaccounted));
	EXPECT_EQ(self->queued + 1, kw_queued());
}

TEST_HARNESS_MAIN
