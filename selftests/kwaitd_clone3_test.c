// SPDX-License-Identifier: GPL-2.0
/*
 * clone3(CLONE_AUTOREAP | CLONE_NNP), as in Linux 7.1: what it refuses, the pidfd that it
 * returns, and no_new_privs. Where the kernel has these flags the same is expected of it
 * without the module.
 *
 * If this fails, a program that was written for Linux 7.1 does not get from the module
 * what it would get from that kernel.
 */
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/harness.h"
#include "lib/kernel.h"
#include "lib/module.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/tasks.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define STACK 65536

/* Not yet in every linux/wait.h */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

FIXTURE(clone3) {
	char unused;
};

FIXTURE_SETUP(clone3)
{
	if (!kw_native() && !kw_loaded())
		SKIP(_exit(255), "clone3() does not know CLONE_AUTOREAP");
}

FIXTURE_TEARDOWN(clone3)
{
	EXPECT_TRUE(kw_until(kw_dead_tasks() == 0));
	if (!kw_loaded())
		return;
	EXPECT_TRUE(kw_until(kw_at_rest()));
	EXPECT_TRUE(kw_until(kw_stat("live_marks") == 0));
}

/*
 * 0 or what clone3() fails with. A child that should not be exits at once, and if
 * it is a thread takes the test with it.
 */
static int refusal(__u64 flags, __u64 exit_signal)
{
	struct clone_args args = { .flags = flags, .exit_signal = exit_signal };
	pid_t pid = kw_clone3(&args);

	if (!pid)
		_exit(1);
	if (pid < 0)
		return errno;
	if (!(flags & CLONE_AUTOREAP))
		waitpid(pid, NULL, __WALL);
	return 0;
}

TEST_F(clone3, refused)
{
	static const struct {
		__u64 flags, exit_signal;
	} bad[] = {
		{ CLONE_AUTOREAP, SIGCHLD },
		{ CLONE_AUTOREAP, SIGUSR1 },
		{ CLONE_AUTOREAP, 1 << 16 },
		{ CLONE_AUTOREAP | CLONE_PARENT, 0 },
		{ CLONE_AUTOREAP | CLONE_DETACHED, 0 },
		{ CLONE_AUTOREAP | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0 },
		{ CLONE_NNP | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0 },
		{ CLONE_AUTOREAP | CLONE_NNP | CLONE_THREAD, 0 },
		/* and what always was */
		{ CLONE_AUTOREAP | CLONE_NEWNS | CLONE_FS, 0 },
		{ CLONE_AUTOREAP | CLONE_SIGHAND, 0 },
		{ CLONE_AUTOREAP | CLONE_SIGHAND | CLONE_VM | CLONE_CLEAR_SIGHAND, 0 },
		{ CLONE_AUTOREAP | SIGCHLD, 0 },
		{ CLONE_AUTOREAP | 1ULL << 40, 0 },
		{ CLONE_AUTOREAP | 1ULL << 63, 0 },
		{ 1ULL << 40, SIGCHLD },
		{ 1ULL << 63, SIGCHLD },
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(EINVAL, refusal(bad[i].flags, bad[i].exit_signal))
			TH_LOG("flags %llx, exit_signal %llu", bad[i].flags,
			       bad[i].exit_signal);
	}
}

TEST_F(clone3, allowed)
{
	static const __u64 good[] = {
		0, CLONE_AUTOREAP, CLONE_NNP, CLONE_AUTOREAP | CLONE_NNP,
		CLONE_AUTOREAP | CLONE_CLEAR_SIGHAND, CLONE_AUTOREAP | CLONE_VFORK,
	};
	unsigned int i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		EXPECT_EQ(0, refusal(good[i], good[i] & CLONE_AUTOREAP ? 0 : SIGCHLD))
			TH_LOG("flags %llx", good[i]);
	}
}

/* Kills the child when its pidfd is closed: not without the kernel's help. */
TEST_F(clone3, autokill)
{
	__u64 flags = CLONE_PIDFD_AUTOKILL | CLONE_PIDFD | CLONE_NNP;
	int pidfd;
	struct clone_args args = {
		.flags = flags | CLONE_AUTOREAP, .pidfd = (unsigned long)&pidfd,
	};
	pid_t pid;

	EXPECT_EQ(EINVAL, refusal(flags, 0));
	pid = kw_clone3(&args);
	if (!pid) {
		for (;;)
			pause();
	}
	if (!kw_native()) {
		EXPECT_EQ(-1, pid);
		EXPECT_EQ(EINVAL, errno);
		return;
	}
	ASSERT_LT(0, pid);
	close(pidfd);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
}

/* An autoreap process has no siblings by its own hand. */
TEST_F(clone3, parent)
{
	struct clone_args args = { .flags = CLONE_AUTOREAP };
	int report[2], err;
	pid_t pid;

	ASSERT_EQ(0, pipe(report));
	pid = kw_clone3(&args);
	ASSERT_LE(0, pid);
	if (!pid) {
		err = refusal(CLONE_PARENT, 0);
		_exit(write(report[1], &err, sizeof(err)) < 0);
	}
	ASSERT_EQ((ssize_t)sizeof(err), read(report[0], &err, sizeof(err)));
	EXPECT_EQ(EINVAL, err);
	/* The control */
	pid = fork();
	if (!pid) {
		args.flags = CLONE_PARENT;
		pid = kw_clone3(&args);
		if (!pid)
			_exit(0);
		_exit(write(report[1], &pid, sizeof(pid)) < 0);
	}
	waitpid(pid, NULL, 0);
	ASSERT_EQ((ssize_t)sizeof(pid), read(report[0], &pid, sizeof(pid)));
	EXPECT_LT(0, pid);
	EXPECT_EQ(pid, waitpid(pid, NULL, __WALL));
}

/* 0 or what clone3() fails with, given so much of a structure */
static int refusal_of_size(size_t size, size_t nonzero)
{
	size_t mapped = 3 * getpagesize();
	struct clone_args *args;
	int err = 0;
	pid_t pid;

	args = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	args->flags = CLONE_AUTOREAP;
	if (nonzero)
		((char *)args)[nonzero] = 1;
	pid = syscall(SYS_clone3, args, size);
	if (!pid)
		_exit(0);
	if (pid < 0)
		err = errno;
	munmap(args, mapped);
	return err;
}

TEST_F(clone3, size)
{
	size_t page = getpagesize();

	EXPECT_EQ(EINVAL, refusal_of_size(0, 0));
	EXPECT_EQ(EINVAL, refusal_of_size(CLONE_ARGS_SIZE_VER0 - 1, 0));
	EXPECT_EQ(0, refusal_of_size(CLONE_ARGS_SIZE_VER0, 0));
	EXPECT_EQ(0, refusal_of_size(CLONE_ARGS_SIZE_VER1, 0));
	EXPECT_EQ(0, refusal_of_size(CLONE_ARGS_SIZE_VER2, 0));
	EXPECT_EQ(0, refusal_of_size(page, 0));
	EXPECT_EQ(E2BIG, refusal_of_size(page, page - 1));
	EXPECT_EQ(E2BIG, refusal_of_size(page + 1, 0));
	EXPECT_EQ(-1, syscall(SYS_clone3, NULL, sizeof(struct clone_args)));
	EXPECT_EQ(EFAULT, errno);
}

/* no_new_privs of a new child with these flags; of the caller if it is not */
static int nnp_of_child(__u64 flags)
{
	struct clone_args args = { .flags = flags };
	int report[2], nnp = -1;
	pid_t pid;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) || pipe(report))
		return -1;
	pid = kw_clone3(&args);
	if (!pid) {
		nnp = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
		_exit(write(report[1], &nnp, sizeof(nnp)) < 0);
	}
	if (pid < 0 || read(report[0], &nnp, sizeof(nnp)) != sizeof(nnp) ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
		return -1;
	close(report[0]);
	close(report[1]);
	if (!(flags & CLONE_AUTOREAP))
		waitpid(pid, NULL, __WALL);
	return nnp;
}

TEST_F(clone3, no_new_privs)
{
	EXPECT_EQ(0, nnp_of_child(0));
	EXPECT_EQ(0, nnp_of_child(CLONE_AUTOREAP));
	EXPECT_EQ(1, nnp_of_child(CLONE_NNP));
	EXPECT_EQ(1, nnp_of_child(CLONE_NNP | CLONE_AUTOREAP));
}

/* A child with a pidfd, that exits when die is closed */
static pid_t child_with_pidfd(__u64 flags, int *pidfd, int *die)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD, .pidfd = (unsigned long)pidfd,
		.exit_signal = flags & CLONE_AUTOREAP ? 0 : SIGCHLD,
	};
	int dies[2];
	pid_t pid;
	char c;

	if (pipe2(dies, O_CLOEXEC))
		return -1;
	pid = kw_clone3(&args);
	if (!pid) {
		close(dies[1]);
		_exit(read(dies[0], &c, 1) != 0);
	}
	close(dies[0]);
	*die = dies[1];
	return pid;
}

static short polled(int pidfd, short events, int timeout)
{
	struct pollfd p = { .fd = pidfd, .events = events };

	return poll(&p, 1, timeout) < 0 ? -1 : p.revents;
}

/* EPOLLHUP came with 6.9; the module brings it to its own on older kernels. */
TEST_F(clone3, pidfd)
{
	siginfo_t info;
	int pidfd, die;
	pid_t pid;

	pid = child_with_pidfd(CLONE_AUTOREAP, &pidfd, &die);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, polled(pidfd, POLLIN, 0));
	EXPECT_EQ(0, syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0));
	close(die);
	EXPECT_EQ(POLLIN, polled(pidfd, POLLIN, -1) & POLLIN);
	EXPECT_TRUE(kw_until(polled(pidfd, POLLIN, -1) == (POLLIN | POLLHUP)));
	EXPECT_TRUE(kw_gone(pid));
	EXPECT_EQ(-1, syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_EQ(-1, waitid(P_PIDFD, pidfd, &info, WEXITED | __WALL));
	EXPECT_EQ(ECHILD, errno);
}

/* Whoever waits for nothing but the end is woken. */
TEST_F(clone3, hangup_wakes)
{
	int pidfd, die, i;

	for (i = 0; i < 20; i++) {
		ASSERT_LT(0, child_with_pidfd(CLONE_AUTOREAP, &pidfd, &die));
		close(die);
		EXPECT_EQ(POLLHUP, polled(pidfd, 0, KW_DEADLINE * 1000));
		close(pidfd);
	}
}

/* The control: of an ordinary one there is no end until it is waited for. */
TEST_F(clone3, pidfd_of_ordinary)
{
	siginfo_t info;
	int pidfd, die;
	pid_t pid;

	pid = child_with_pidfd(0, &pidfd, &die);
	ASSERT_LT(0, pid);
	close(die);
	EXPECT_EQ(POLLIN, polled(pidfd, POLLIN, -1));
	EXPECT_EQ(0, polled(pidfd, 0, 50));
	EXPECT_EQ(0, waitid(P_PIDFD, pidfd, &info, WEXITED));
	EXPECT_EQ(pid, info.si_pid);
	EXPECT_EQ(kw_kernel_since(6, 9) ? POLLIN | POLLHUP : POLLIN,
		  polled(pidfd, POLLIN, -1));
}

TEST_HARNESS_MAIN
