// SPDX-License-Identifier: GPL-2.0
/*
 * The exit status of a child that nobody waits for. From Linux 6.15 on the child's pidfd
 * tells it (PIDFD_GET_INFO), before that /dev/kwaitd. Both tell the same.
 *
 * If this fails, a program that starts a detached child does not learn whether the child
 * succeeded, or learns the status of processes that are none of its business.
 */
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/harness.h"
#include "lib/kernel.h"
#include "lib/module.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/tasks.h"
#include "lib/thread.h"

#include <fcntl.h>
#include <linux/kwaitd.h>
#define _ASM_GENERIC_FCNTL_H	/* <fcntl.h> has it all */
#include <linux/pidfd.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static bool native(void)
{
	return kw_kernel_since(6, 15);
}

FIXTURE(status) {
	int dev;
};

FIXTURE_SETUP(status)
{
	self->dev = open("/dev/kwaitd", O_RDWR | O_CLOEXEC);
	if (self->dev < 0 && !kw_native())
		SKIP(_exit(255), "kwaitd is not loaded");
}

FIXTURE_TEARDOWN(status)
{
	close(self->dev);
	EXPECT_TRUE(kw_until(kw_dead_tasks() == 0));
	if (!kw_loaded())
		return;
	EXPECT_TRUE(kw_until(kw_stat("live_marks") == 0));
	EXPECT_TRUE(kw_until(kw_stat("exit_records") == 0));
}

/* Return: 0 or errno; EAGAIN while it is not known */
static int exit_info(int dev, int pidfd, int *code, __u64 *cgroupid)
{
	struct kwaitd_exit_info own = { .pidfd = pidfd };
	struct pidfd_info info = { .mask = PIDFD_INFO_EXIT | PIDFD_INFO_CGROUPID };

	if (!native()) {
		if (ioctl(dev, KWAITD_IOC_EXIT_INFO, &own))
			return errno;
		*code = own.exit_code;
		*cgroupid = own.cgroupid;
		return 0;
	}
	if (ioctl(pidfd, PIDFD_GET_INFO, &info))
		return errno;
	*code = info.exit_code;
	*cgroupid = info.cgroupid;
	return info.mask & PIDFD_INFO_EXIT ? 0 : EAGAIN;
}

static pid_t spawn(int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_AUTOREAP | CLONE_PIDFD, .pidfd = (unsigned long)pidfd,
	};

	return kw_clone3(&args);
}

static bool poll_until(int pidfd, short events)
{
	struct pollfd p = { .fd = pidfd, .events = events };

	return kw_until(poll(&p, 1, 1000) == 1 && (p.revents & events) == events);
}

TEST_F(status, codes)
{
	static const int sigs[] = { SIGKILL, SIGTERM, SIGUSR1 };
	int pidfd, code, i;
	__u64 cgroupid;
	pid_t pid;

	for (i = 0; i < 256; i += 17) {
		pid = spawn(&pidfd);
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(i);
		ASSERT_TRUE(poll_until(pidfd, POLLIN | POLLHUP));
		ASSERT_EQ(0, exit_info(self->dev, pidfd, &code, &cgroupid));
		EXPECT_TRUE(WIFEXITED(code));
		EXPECT_EQ(i, WEXITSTATUS(code));
		close(pidfd);
	}
	for (i = 0; i < 3; i++) {
		pid = spawn(&pidfd);
		if (!pid) {
			for (;;)
				pause();
		}
		kill(pid, sigs[i]);
		ASSERT_TRUE(poll_until(pidfd, POLLIN | POLLHUP));
		ASSERT_EQ(0, exit_info(self->dev, pidfd, &code, &cgroupid));
		EXPECT_TRUE(WIFSIGNALED(code));
		EXPECT_EQ(sigs[i], WTERMSIG(code));
		close(pidfd);
	}
}

static int exits_group(void *arg)
{
	kw_told(arg);
	syscall(SYS_exit_group, 3);
	return 0;
}

/* The status of a process is how it ended, and not how its first thread did before. */
TEST_F(status, leader_ends_first)
{
	static pid_t tid;
	int pidfd, code, i, gate[2];
	__u64 cgroupid;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pipe(gate));
		pid = spawn(&pidfd);
		ASSERT_LE(0, pid);
		if (!pid) {
			kw_thread(exits_group, kw_stacks(1), gate, &tid);
			syscall(SYS_exit, 0);
		}
		ASSERT_TRUE(kw_until(kw_proc_state(pid) == 'Z'));
		EXPECT_EQ(EAGAIN, exit_info(self->dev, pidfd, &code, &cgroupid));
		if (i)
			kill(pid, SIGKILL);
		else
			ASSERT_EQ(1, write(gate[1], "", 1));
		ASSERT_TRUE(poll_until(pidfd, POLLIN | POLLHUP));
		ASSERT_EQ(0, exit_info(self->dev, pidfd, &code, &cgroupid));
		EXPECT_EQ(i ? SIGKILL : 3 << 8, code);
		close(pidfd);
		close(gate[0]);
		close(gate[1]);
	}
}

/* A pidfd from elsewhere tells the same, as often as it is asked. */
TEST_F(status, any_pidfd)
{
	int pidfd, other, code, i;
	__u64 cgroupid;
	pid_t pid = spawn(&pidfd);

	if (!pid) {
		for (;;)
			pause();
	}
	other = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, other);
	close(pidfd);
	kill(pid, SIGKILL);
	ASSERT_TRUE(poll_until(other, POLLIN | POLLHUP));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, exit_info(self->dev, other, &code, &cgroupid));
		EXPECT_EQ(SIGKILL, code);
	}
	close(other);
}

/* Who created it by clone() knows only its pid, and opens a pidfd in time. */
TEST_F(status, detached)
{
	int die[2], pidfd, code;
	__u64 cgroupid;
	pid_t pid;
	char c;

	if (!kw_loaded())
		SKIP(return, "kwaitd is not loaded");
	ASSERT_EQ(0, pipe(die));
	pid = kw_fork(CLONE_DETACHED);
	if (!pid) {
		close(die[1]);
		_exit(read(die[0], &c, 1) ? 1 : 23);
	}
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	close(die[1]);
	ASSERT_TRUE(poll_until(pidfd, POLLIN | POLLHUP));
	EXPECT_EQ(0, exit_info(self->dev, pidfd, &code, &cgroupid));
	EXPECT_EQ(23, WEXITSTATUS(code));
	close(pidfd);
}

/* A tracer that is the parent waits for it: nobody else is ever told. */
TEST_F(status, traced)
{
	int pidfd, code, status;
	__u64 cgroupid;
	pid_t pid = spawn(&pidfd);

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		_exit(77);
	}
	EXPECT_EQ(pid, waitpid(pid, &status, __WALL));
	EXPECT_EQ(77, WEXITSTATUS(status));
	ASSERT_TRUE(poll_until(pidfd, POLLIN | POLLHUP));
	EXPECT_EQ(0, exit_info(self->dev, pidfd, &code, &cgroupid));
	EXPECT_EQ(status, code);
	close(pidfd);
}

/* /dev/kwaitd knows before poll() is told. */
TEST_F(status, in_time)
{
	int pidfd, code, err, i;
	struct pollfd p = { .events = POLLIN };
	__u64 cgroupid;
	pid_t pid;
	bool dead;

	if (native())
		SKIP(return, "nothing is recorded");
	for (i = 0; i < 200; i++) {
		pid = spawn(&pidfd);
		if (!pid)
			_exit(1);
		p.fd = pidfd;
		do {
			dead = poll(&p, 1, 0) == 1;
			err = exit_info(self->dev, pidfd, &code, &cgroupid);
			if (dead)
				ASSERT_EQ(0, err);
		} while (err);
		close(pidfd);
	}
}

#define CGROUP "/sys/fs/cgroup/kwaitd_status"

TEST_F(status, cgroup)
{
	int pidfd = -1, code, dir;
	struct clone_args args = {
		.flags = CLONE_AUTOREAP | CLONE_PIDFD | CLONE_INTO_CGROUP,
		.pidfd = (unsigned long)&pidfd,
	};
	struct stat st;
	__u64 cgroupid;
	pid_t pid;

	mkdir(CGROUP, 0755);
	dir = open(CGROUP, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		SKIP(return, "no cgroup2");
	ASSERT_EQ(0, fstat(dir, &st));
	args.cgroup = dir;
	pid = kw_clone3(&args);
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(1);
	ASSERT_TRUE(poll_until(pidfd, POLLIN | POLLHUP));
	EXPECT_EQ(0, exit_info(self->dev, pidfd, &code, &cgroupid));
	EXPECT_EQ(st.st_ino, cgroupid);
	EXPECT_EQ(1, WEXITSTATUS(code));
	close(pidfd);
	close(dir);
	EXPECT_TRUE(kw_until(rmdir(CGROUP) == 0));
}

#define STORM 300

/*
 * Many at once, each asked as soon as it says POLLIN. It may not know yet where the
 * pidfd itself is asked, with kwaitd or without; but it must always answer, and
 * know when it hangs up.
 */
TEST_F(status, storm)
{
	int pidfd[STORM], code, err, i;
	__u64 cgroupid;
	pid_t pid;

	for (i = 0; i < STORM; i++) {
		pid = spawn(&pidfd[i]);
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(i % 256);
	}
	for (i = 0; i < STORM; i++) {
		ASSERT_TRUE(poll_until(pidfd[i], POLLIN));
		err = exit_info(self->dev, pidfd[i], &code, &cgroupid);
		if (err) {
			ASSERT_EQ(EAGAIN, err);
			ASSERT_TRUE(poll_until(pidfd[i], POLLIN | POLLHUP));
			ASSERT_EQ(0, exit_info(self->dev, pidfd[i], &code, &cgroupid));
		}
		EXPECT_EQ(i % 256, WEXITSTATUS(code));
		close(pidfd[i]);
	}
}

static int ioctl_errno(int dev, unsigned int cmd, void *arg)
{
	return ioctl(dev, cmd, arg) ? errno : 0;
}

#define COMMAND(size) \
	_IOC(_IOC_READ | _IOC_WRITE, KWAITD_IOC_MAGIC, 1, (size))

TEST_F(status, bad)
{
	struct {
		struct kwaitd_exit_info info;
		__u64 beyond;
	} arg = {};
	int pidfd, ordinary;
	pid_t pid, parent = getpid();

	if (self->dev < 0)
		SKIP(return, "kwaitd is not loaded");
	EXPECT_EQ(ENOTTY, ioctl_errno(self->dev, _IO(KWAITD_IOC_MAGIC, 255), NULL));
	EXPECT_EQ(ENOTTY, ioctl_errno(self->dev, _IO('x', 1), NULL));
	EXPECT_EQ(ENOTTY, ioctl_errno(self->dev, TCGETS, &arg));
	EXPECT_EQ(EINVAL, ioctl_errno(self->dev, COMMAND(16), &arg));
	EXPECT_EQ(EFAULT, ioctl_errno(self->dev, KWAITD_IOC_EXIT_INFO, NULL));
	arg.beyond = 1;
	EXPECT_EQ(E2BIG, ioctl_errno(self->dev, COMMAND(sizeof(arg)), &arg));
	arg.beyond = 0;
	arg.info.flags = 1;
	EXPECT_EQ(EINVAL, ioctl_errno(self->dev, KWAITD_IOC_EXIT_INFO, &arg));
	arg.info.flags = 0;
	arg.info.__reserved = 1;
	EXPECT_EQ(EINVAL, ioctl_errno(self->dev, KWAITD_IOC_EXIT_INFO, &arg));
	arg.info.__reserved = 0;
	if (native()) {
		EXPECT_EQ(EOPNOTSUPP,
			  ioctl_errno(self->dev, KWAITD_IOC_EXIT_INFO, &arg));
		return;
	}
	arg.info.pidfd = -1;
	EXPECT_EQ(EBADF, ioctl_errno(self->dev, KWAITD_IOC_EXIT_INFO, &arg));
	arg.info.pidfd = self->dev;
	EXPECT_EQ(EBADF, ioctl_errno(self->dev, KWAITD_IOC_EXIT_INFO, &arg));

	/* alive, and to a larger structure */
	pid = spawn(&pidfd);
	if (!pid) {
		for (;;)
			pause();
	}
	arg.info.pidfd = pidfd;
	EXPECT_EQ(EAGAIN, ioctl_errno(self->dev, KWAITD_IOC_EXIT_INFO, &arg));
	EXPECT_EQ(EAGAIN, ioctl_errno(self->dev, COMMAND(sizeof(arg)), &arg));
	kill(pid, SIGKILL);
	ASSERT_TRUE(poll_until(pidfd, POLLHUP));
	EXPECT_EQ(0, ioctl_errno(self->dev, COMMAND(sizeof(arg)), &arg));
	EXPECT_EQ(SIGKILL, arg.info.exit_code);
	close(pidfd);

	/* not detached: alive, dead, gone */
	ordinary = syscall(SYS_pidfd_open, parent, 0);
	arg.info.pidfd = ordinary;
	EXPECT_EQ(ENODATA, ioctl_errno(self->dev, KWAITD_IOC_EXIT_INFO, &arg));
	close(ordinary);
	pid = fork();
	if (!pid)
		_exit(3);
	ordinary = syscall(SYS_pidfd_open, pid, 0);
	arg.info.pidfd = ordinary;
	ASSERT_TRUE(poll_until(ordinary, POLLIN));
	EXPECT_EQ(ENODATA, ioctl_errno(self->dev, KWAITD_IOC_EXIT_INFO, &arg));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(ENODATA, ioctl_errno(self->dev, KWAITD_IOC_EXIT_INFO, &arg));
	close(ordinary);
}

/* A process that cannot see the child's pid namespace was handed its pidfd. */
TEST_F(status, stranger)
{
	int pidfd, code, status;
	__u64 cgroupid;
	pid_t pid, inner;

	pid = spawn(&pidfd);
	if (!pid)
		_exit(5);
	ASSERT_TRUE(poll_until(pidfd, POLLIN | POLLHUP));
	inner = kw_fork(CLONE_NEWPID | SIGCHLD);
	ASSERT_LE(0, inner);
	if (!inner)
		_exit(exit_info(self->dev, pidfd, &code, &cgroupid));
	EXPECT_EQ(inner, waitpid(inner, &status, 0));
	EXPECT_EQ(EREMOTE, WEXITSTATUS(status));
	EXPECT_EQ(0, exit_info(self->dev, pidfd, &code, &cgroupid));
	close(pidfd);
}

/* A record is kept for whom it may be asked by, and no longer. */
TEST_F(status, records)
{
	int pidfd[16], i;
	pid_t pid;

	if (native() || !kw_loaded())
		SKIP(return, "nothing is recorded");
	for (i = 0; i < 16; i++) {
		pid = spawn(&pidfd[i]);
		if (!pid)
			_exit(0);
	}
	for (i = 0; i < 16; i++)
		ASSERT_TRUE(poll_until(pidfd[i], POLLHUP));
	EXPECT_EQ(16, kw_stat("exit_records"));
	for (i = 0; i < 8; i++)
		close(pidfd[i]);
	EXPECT_TRUE(kw_until(kw_stat("exit_records") == 8));
	for (; i < 16; i++)
		close(pidfd[i]);
	EXPECT_TRUE(kw_until(kw_stat("exit_records") == 0));
}

TEST_HARNESS_MAIN
