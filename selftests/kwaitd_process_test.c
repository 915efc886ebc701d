// SPDX-License-Identifier: GPL-2.0
/*
 * A process created with clone(CLONE_DETACHED): its parent hears nothing of its death,
 * whatever the parent is doing, and has nothing to collect.
 *
 * If this fails, a parent gets signals that it did not ask for, wait4() returns a status
 * that nobody expects, or zombies stay.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/file.h"
#include "lib/kernel.h"
#include "lib/patience.h"
#include "lib/proc.h"

#include <sched.h>
#include <signal.h>

static volatile sig_atomic_t sigchlds;

static void on_sigchld(int sig)
{
	sigchlds++;
}

TEST_F(kwaitd, gone_without_wait)
{
	char path[64];
	pid_t pid = kw_fork(CLONE_DETACHED | SIGCHLD);

	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(3);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	snprintf(path, sizeof(path), "/proc/%d", pid);
	EXPECT_EQ(-1, access(path, F_OK));
	EXPECT_EQ(-1, waitpid(pid, NULL, __WALL));
	EXPECT_EQ(ECHILD, errno);
	EXPECT_TRUE(kw_until(kw_at_rest()));
	EXPECT_EQ(self->queued + 1, kw_queued());
}

/* The control: everything asserted above and below is false of an ordinary one */
TEST_F(kwaitd, ordinary_stays)
{
	int status;
	pid_t pid;

	signal(SIGCHLD, on_sigchld);
	pid = kw_fork(SIGCHLD);
	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(3);
	EXPECT_TRUE(kw_until(kw_proc_state(pid) == 'Z'));
	EXPECT_FALSE(kw_gone(pid));
	EXPECT_TRUE(kw_until(sigchlds == 1));
	EXPECT_EQ(pid, waitpid(pid, &status, __WALL));
	EXPECT_EQ(3, WEXITSTATUS(status));
	EXPECT_EQ(self->queued, kw_queued());
}

TEST_F(kwaitd, no_signal)
{
	sigset_t chld, pending;
	pid_t pid;

	signal(SIGCHLD, on_sigchld);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigaddset(&chld, SIGUSR1);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	/* Another exit signal is no more wanted than this one. */
	pid = kw_fork(CLONE_DETACHED | SIGCHLD);
	if (!pid)
		_exit(0);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	pid = kw_fork(CLONE_DETACHED | SIGUSR1);
	if (!pid)
		_exit(0);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	sigpending(&pending);
	EXPECT_FALSE(sigismember(&pending, SIGCHLD));
	EXPECT_FALSE(sigismember(&pending, SIGUSR1));
	sigprocmask(SIG_UNBLOCK, &chld, NULL);
	EXPECT_EQ(0, sigchlds);
}

/*
 * Let a child die while its parent is blocked in read(2), watched by a third
 * process. Return the parent's context switches meanwhile, plus 1000 for each
 * signal.
 */
static long switches_while_child_dies(unsigned long flags)
{
	int die[2], result[2];
	pid_t self = getpid(), child, watcher;
	long before, ret = -1;

	signal(SIGCHLD, on_sigchld);
	if (pipe(die) || pipe(result))
		return -1;
	child = kw_fork(flags);
	if (!child) {
		char c;

		close(die[1]);
		_exit(read(die[0], &c, 1) != 0);
	}
	/* exit_signal 0: the watcher's own death is not to be heard either */
	watcher = kw_fork(0);
	if (!watcher) {
		close(die[0]);
		/* State S is not enough: it is set before the switch that is counted. */
		kw_until(kw_is_in(self, SYS_read));
		before = kw_proc_status(self, "voluntary_ctxt_switches");
		close(die[1]);
		kw_until(kw_gone(child) || kw_proc_state(child) == 'Z');
		kw_until(kw_at_rest());
		/* A signal is sent under the lock that sets the state; wait4() takes it. */
		waitpid(-1, NULL, WNOHANG | __WALL);
		kw_until(kw_is_in(self, SYS_read));
		before -= kw_proc_status(self, "voluntary_ctxt_switches");
		before = -before;
		_exit(write(result[1], &before, sizeof(before)) < 0);
	}
	close(die[0]);
	close(die[1]);
	while (read(result[0], &ret, sizeof(ret)) < 0 && errno == EINTR)
		;
	waitpid(watcher, NULL, __WALL);
	waitpid(child, NULL, __WALL);
	return ret + 1000 * sigchlds;
}

TEST_F(kwaitd, no_wakeup)
{
	EXPECT_EQ(0, switches_while_child_dies(CLONE_DETACHED));
}

/* The control */
TEST_F(kwaitd, ordinary_wakes_up)
{
	EXPECT_LE(1001, switches_while_child_dies(SIGCHLD));
}

/* Blocked for a child it can never have, wait4() returns when there is no hope. */
TEST_F(kwaitd, blocked_wait_gets_echild)
{
	int die[2];
	char c;
	pid_t parent = getpid(), pid;

	ASSERT_EQ(0, pipe(die));
	pid = kw_fork(CLONE_DETACHED);
	if (!pid) {
		kw_until(kw_proc_state(parent) == 'S');
		_exit(0);
	}
	close(die[1]);
	errno = 0;
	EXPECT_EQ(-1, waitpid(-1, NULL, __WALL));
	EXPECT_EQ(ECHILD, errno);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	EXPECT_EQ(0, read(die[0], &c, 1));
}

/* ... and goes on waiting for the ones it can. */
TEST_F(kwaitd, blocked_wait_gets_sibling)
{
	pid_t parent = getpid(), detached, sibling;
	int status;

	detached = kw_fork(CLONE_DETACHED);
	if (!detached) {
		kw_until(kw_proc_state(parent) == 'S');
		_exit(0);
	}
	sibling = kw_fork(SIGCHLD);
	if (!sibling) {
		kw_until(kw_gone(detached));
		_exit(7);
	}
	EXPECT_EQ(sibling, waitpid(-1, &status, __WALL));
	EXPECT_EQ(7, WEXITSTATUS(status));
	EXPECT_TRUE(kw_gone(detached));
}

/* Alive, it is a child for those who ask for all kinds, and has no exit signal. */
TEST_F(kwaitd, alive)
{
	int die[2];
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(die));
	pid = kw_fork(CLONE_DETACHED | SIGCHLD);
	if (!pid) {
		close(die[1]);
		_exit(read(die[0], &c, 1) != 0);
	}
	EXPECT_EQ(-1, waitpid(pid, NULL, WNOHANG));
	EXPECT_EQ(ECHILD, errno);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG | __WALL));
	close(die[1]);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
}

/* The mark is the child's alone. */
TEST_F(kwaitd, not_inherited)
{
	int report[2], status = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe(report));
	pid = kw_fork(CLONE_DETACHED);
	if (!pid) {
		pid_t child = fork();

		if (!child)
			_exit(5);
		if (waitpid(child, &status, 0) != child)
			status = -1;
		_exit(write(report[1], &status, sizeof(status)) < 0);
	}
	ASSERT_EQ((ssize_t)sizeof(status),
		  read(report[0], &status, sizeof(status)));
	EXPECT_EQ(5, WEXITSTATUS(status));
	EXPECT_TRUE(kw_until(kw_gone(pid)));
}

/* execve() resets exit_signal, but not this. */
TEST_F(kwaitd, survives_exec)
{
	pid_t pid = kw_fork(CLONE_DETACHED);

	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	EXPECT_TRUE(kw_until(kw_at_rest()));
	EXPECT_EQ(self->queued + 1, kw_queued());
}

/*
 * Its sibling by CLONE_PARENT is an ordinary child of the parent, or, where the
 * kernel keeps the marks, cannot be made.
 */
TEST_F(kwaitd, sibling)
{
	int status = 0, report[2];
	pid_t pid, sibling;

	ASSERT_EQ(0, pipe(report));
	pid = kw_fork(CLONE_DETACHED);
	if (!pid) {
		sibling = kw_fork(CLONE_PARENT | SIGCHLD);
		if (!sibling)
			_exit(11);
		if (sibling < 0)
			sibling = -errno;
		_exit(write(report[1], &sibling, sizeof(sibling)) < 0);
	}
	ASSERT_EQ((ssize_t)sizeof(sibling),
		  read(report[0], &sibling, sizeof(sibling)));
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	if (kw_kernel_since(7, 1)) {
		EXPECT_EQ(-EINVAL, sibling);
		return;
	}
	EXPECT_EQ(sibling, waitpid(sibling, &status, 0));
	EXPECT_EQ(11, WEXITSTATUS(status));
}

/*
 * A helper that has a detached child, and then does what the argument says. The
 * child dies when the returned pipe is closed; its pid is read from there.
 */
static pid_t helper_with_child(const char *then, int *die, pid_t *child)
{
	int pids[2], dies[2];
	pid_t helper;

	if (pipe(pids) || pipe(dies))
		return -1;
	helper = kw_helper();
	if (!helper) {
		sigset_t chld;
		pid_t pid;
		char c;

		/* stays pending if it ever comes, also over execve() */
		sigemptyset(&chld);
		sigaddset(&chld, SIGCHLD);
		sigprocmask(SIG_BLOCK, &chld, NULL);
		close(dies[1]);
		pid = kw_fork(CLONE_DETACHED);
		if (!pid)
			_exit(read(dies[0], &c, 1) != 0);
		if (write(pids[1], &pid, sizeof(pid)) < 0)
			_exit(1);
		if (*then)
			execl("/bin/sleep", "sleep", then, NULL);
		_exit(0);
	}
	close(dies[0]);
	*die = dies[1];
	if (read(pids[0], child, sizeof(*child)) != sizeof(*child))
		return -1;
	return helper;
}

/*
 * execve() of the parent makes every exit signal SIGCHLD, for fear that the
 * old program's child signals the new one.
 */
TEST_F(kwaitd, survives_parents_exec)
{
	pid_t helper, child;
	char path[64];
	int die;

	helper = helper_with_child("inf", &die, &child);
	ASSERT_LT(0, helper);
	snprintf(path, sizeof(path), "/proc/%d/comm", helper);
	ASSERT_TRUE(kw_until(!strcmp(kw_read(path), "sleep")));
	close(die);
	EXPECT_TRUE(kw_until(kw_gone(child)));
	EXPECT_FALSE(kw_proc_pending(helper, SIGCHLD));
	kill(helper, SIGKILL);
	waitpid(helper, NULL, 0);
}

TEST_F(kwaitd, survives_parent)
{
	pid_t helper, child;
	int die;

	helper = helper_with_child("", &die, &child);
	ASSERT_LT(0, helper);
	ASSERT_EQ(helper, waitpid(helper, NULL, 0));
	EXPECT_FALSE(kw_gone(child));
	close(die);
	EXPECT_TRUE(kw_until(kw_gone(child)));
	EXPECT_TRUE(kw_until(kw_at_rest()));
	EXPECT_EQ(self->queued + 1, kw_queued());
}

/* No mark outlives its process. */
TEST_F(kwaitd, live_marks)
{
	int die[2], i;
	pid_t pid[16];
	char c;

	ASSERT_EQ(0, pipe(die));
	for (i = 0; i < 16; i++) {
		pid[i] = kw_fork(CLONE_DETACHED);
		if (!pid[i]) {
			close(die[1]);
			_exit(read(die[0], &c, 1) != 0);
		}
	}
	/* 0 where the kernel keeps the marks */
	EXPECT_TRUE(kw_stat("live_marks") == 16 || kw_stat("live_marks") == 0);
	close(die[1]);
	for (i = 0; i < 16; i++)
		EXPECT_TRUE(kw_until(kw_gone(pid[i])));
	EXPECT_EQ(0, kw_stat("live_marks"));
	EXPECT_EQ(0, kw_stat("mark_failed"));
}

TEST_HARNESS_MAIN
