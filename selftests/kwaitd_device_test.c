// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/kwaitd: which commands are refused, and to whom; and that a refused command
 * changes nothing.
 *
 * If this fails, users can adopt processes of others, a program believes that it got what
 * this module does not know, or bad input gets into the kernel.
 */
#include "lib/clone.h"
#include "lib/ctl.h"
#include "lib/file.h"
#include "lib/kernel.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/reaper.h"
#include "lib/reaper_children.h"
#include "lib/reaper_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define NOBODY 65534

/* A command of another size. Return: 0 or errno */
static int sized(unsigned long cmd, void *arg, unsigned int size)
{
	return kw_ctl((cmd & ~IOCSIZE_MASK) | size << IOCSIZE_SHIFT, arg);
}

TEST_F(reaper, version)
{
	struct kwaitd_version v = {};

	EXPECT_EQ(0, kw_ctl(KWAITD_IOC_VERSION, &v));
	EXPECT_EQ(1U, v.version);
	EXPECT_TRUE(!!(v.features & KWAITD_FEATURE_ADOPT));
	EXPECT_TRUE(!!(v.features & KWAITD_FEATURE_AUTOREAP));
	EXPECT_EQ(kw_kernel_since(6, 15), !(v.features & KWAITD_FEATURE_EXIT_INFO));
	v.flags = 1;
	EXPECT_EQ(EINVAL, kw_ctl(KWAITD_IOC_VERSION, &v));
}

TEST_F(reaper, unknown_commands)
{
	char room[256] = {};
	int nr;

	for (nr = 7; nr < 256; nr++)
		EXPECT_EQ(ENOTTY, kw_ctl(_IOWR(KWAITD_IOC_MAGIC, nr, room), room));
	EXPECT_EQ(ENOTTY, kw_ctl(_IOWR(KWAITD_IOC_MAGIC, 0, room), room));
	EXPECT_EQ(ENOTTY, kw_ctl(_IOW(KWAITD_IOC_MAGIC, 3, struct kwaitd_adopt), room));
	EXPECT_EQ(ENOTTY, kw_ctl(_IOWR('K', 3, struct kwaitd_adopt), room));
	EXPECT_EQ(ENOTTY, kw_ctl(0, room));
	EXPECT_EQ(ENOTTY, kw_ctl(~0U, room));
}

/* Smaller is refused, larger must be zero where it is, and nowhere is EFAULT. */
TEST_F(reaper, sizes)
{
	static const struct {
		unsigned long cmd;
		unsigned int size;
	} cmds[] = {
		{ KWAITD_IOC_VERSION, KWAITD_VERSION_SIZE_VER0 },
		{ KWAITD_IOC_ADOPT, KWAITD_ADOPT_SIZE_VER0 },
		{ KWAITD_IOC_RELEASE, KWAITD_ADOPT_SIZE_VER0 },
		{ KWAITD_IOC_LIST, KWAITD_LIST_SIZE_VER0 },
		{ KWAITD_IOC_REAP, KWAITD_REAP_SIZE_VER0 },
	};
	char room[256] = {};
	unsigned int i, size;

	for (i = 0; i < sizeof(cmds) / sizeof(*cmds); i++) {
		for (size = 0; size < cmds[i].size; size++)
			EXPECT_EQ(EINVAL, sized(cmds[i].cmd, room, size));
		EXPECT_EQ(EFAULT, kw_ctl(cmds[i].cmd, NULL));
		room[cmds[i].size] = 1;
		EXPECT_EQ(E2BIG, sized(cmds[i].cmd, room, cmds[i].size + 8));
		room[cmds[i].size] = 0;
	}
	EXPECT_EQ(0, sized(KWAITD_IOC_VERSION, room, 64));
}

TEST_F(reaper, bad_values)
{
	struct kwaitd_adopt adopt = { .pidfd = KWAITD_SELF, .flags = 1 };
	struct kwaitd_reap reap = { .pidfd = KWAITD_SELF, .flags = 2 };
	struct kwaitd_reaper reaper;
	struct kwaitd_list list = { .size = KWAITD_REAPER_SIZE_VER0 - 1 };
	int null = open("/dev/null", O_RDWR);

	EXPECT_EQ(EINVAL, kw_ctl(KWAITD_IOC_ADOPT, &adopt));
	EXPECT_EQ(EINVAL, kw_ctl(KWAITD_IOC_RELEASE, &adopt));
	EXPECT_EQ(EINVAL, kw_ctl(KWAITD_IOC_REAP, &reap));
	EXPECT_EQ(EINVAL, kw_ctl(KWAITD_IOC_LIST, &list));
	adopt.flags = 0;
	/* This process is no reaper. */
	EXPECT_EQ(EINVAL, kw_ctl(KWAITD_IOC_ADOPT, &adopt));
	EXPECT_EQ(ENOENT, kw_ctl(KWAITD_IOC_RELEASE, &adopt));
	adopt.pidfd = null;
	EXPECT_EQ(EBADF, kw_ctl(KWAITD_IOC_ADOPT, &adopt));
	adopt.pidfd = 999;
	EXPECT_EQ(EBADF, kw_ctl(KWAITD_IOC_ADOPT, &adopt));
	adopt.pidfd = -2;
	EXPECT_EQ(EBADF, kw_ctl(KWAITD_IOC_ADOPT, &adopt));
	reap.flags = 0;
	reap.__reserved = 1;
	EXPECT_EQ(EINVAL, kw_ctl(KWAITD_IOC_REAP, &reap));
	reap.__reserved = 0;
	reap.min_age = 1ULL << 63;
	EXPECT_EQ(EINVAL, kw_ctl(KWAITD_IOC_REAP, &reap));
	reap.min_age--;
	EXPECT_EQ(ENOENT, kw_ctl(KWAITD_IOC_REAP, &reap));
	reap.min_age = 0;
	EXPECT_EQ(ENOENT, kw_ctl(KWAITD_IOC_REAP, &reap));
	/* What a pidfd_open() that has failed leaves must not be the caller. */
	adopt.pidfd = -1;
	reap.pidfd = -1;
	EXPECT_EQ(EBADF, kw_ctl(KWAITD_IOC_ADOPT, &adopt));
	EXPECT_EQ(EBADF, kw_ctl(KWAITD_IOC_RELEASE, &adopt));
	EXPECT_EQ(EBADF, kw_ctl(KWAITD_IOC_REAP, &reap));
	list.size = sysconf(_SC_PAGESIZE) + 1;
	EXPECT_EQ(EINVAL, kw_ctl(KWAITD_IOC_LIST, &list));
	list.size--;
	EXPECT_EQ(0, kw_ctl(KWAITD_IOC_LIST, &list));
	list.size = sizeof(reaper);
	list.flags = 1;
	EXPECT_EQ(EINVAL, kw_ctl(KWAITD_IOC_LIST, &list));
	list.flags = 0;
	list.__reserved = 1;
	EXPECT_EQ(EINVAL, kw_ctl(KWAITD_IOC_LIST, &list));
	close(null);
}

static void *report_tid(void *tid)
{
	__atomic_store_n((pid_t *)tid, gettid(), __ATOMIC_RELEASE);
	pause();
	return NULL;
}

/* A pidfd of a thread, which there is since Linux 6.9, is none of a reaper. */
TEST_F(reaper, thread)
{
	struct kwaitd_adopt arg = {};
	pthread_t thread;
	pid_t tid = 0;

	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, report_tid, &tid));
	ASSERT_TRUE(kw_until(__atomic_load_n(&tid, __ATOMIC_ACQUIRE)));
	arg.pidfd = syscall(SYS_pidfd_open, tid, O_EXCL);
	EXPECT_EQ(kw_kernel_since(6, 9), arg.pidfd >= 0);
	EXPECT_EQ(arg.pidfd < 0 ? EBADF : EINVAL,
		  kw_ctl(KWAITD_IOC_ADOPT, &arg));
	close(arg.pidfd);
}

/* Not while a command may be under way */
TEST_F(reaper, no_unload_while_open)
{
	int fd = open("/dev/kwaitd", O_RDWR | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-1, syscall(SYS_delete_module, "kwaitd", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	close(fd);
}

TEST_F(reaper, adopt_twice)
{
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	EXPECT_EQ(EALREADY, kw_adopt(self->r.pid));
	EXPECT_EQ(0, kw_release(self->r.pid));
	EXPECT_EQ(ENOENT, kw_release(self->r.pid));
	EXPECT_EQ(ENOENT, -kw_reap(self->r.pid, 0, 0));
}

TEST_F(reaper, dead)
{
	struct kwaitd_adopt arg = {};
	struct kw_reaper r;

	ASSERT_TRUE(kw_reaper_start(&r, CLONE_NEWPID, NULL));
	arg.pidfd = kw_pidfd(r.pid);
	kill(r.pid, SIGKILL);
	ASSERT_TRUE(kw_until(kw_proc_state(r.pid) == 'Z'));
	EXPECT_EQ(ESRCH, kw_ctl(KWAITD_IOC_ADOPT, &arg));
	waitpid(r.pid, NULL, 0);
	EXPECT_EQ(ESRCH, kw_ctl(KWAITD_IOC_ADOPT, &arg));
	close(arg.pidfd);
}

TEST_F(reaper, list)
{
	struct { struct kwaitd_reaper r; char more[16]; } two[2];
	struct kwaitd_list list = { .reapers = (uintptr_t)two, .size = sizeof(*two) };
	struct kw_reaper other;

	ASSERT_TRUE(kw_reaper_start(&other, CLONE_NEWPID, NULL));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_EQ(0, kw_adopt(other.pid));
	EXPECT_EQ(0, kw_ctl(KWAITD_IOC_LIST, &list));
	EXPECT_EQ(2U, list.nr);
	memset(two, 0xff, sizeof(two));
	list.nr = 1;
	EXPECT_EQ(0, kw_ctl(KWAITD_IOC_LIST, &list));
	EXPECT_EQ(2U, list.nr);
	EXPECT_EQ(self->r.pid, two[0].r.pid);
	EXPECT_EQ(0, two[0].more[15]);
	EXPECT_EQ(-1, two[1].r.pid);
	EXPECT_EQ(0, kw_ctl(KWAITD_IOC_LIST, &list));
	EXPECT_EQ(2U, list.nr);
	EXPECT_EQ(other.pid, two[1].r.pid);
	EXPECT_STREQ("kwaitd_device_t", two[1].r.comm);
	list.reapers = 0;
	EXPECT_EQ(EFAULT, kw_ctl(KWAITD_IOC_LIST, &list));
	EXPECT_EQ(0, kw_release(other.pid));
	kw_reaper_stop(&other);
}

/* In a child that is nobody: what it exits with */
static int as_nobody(int (*fn)(pid_t pid), pid_t pid)
{
	pid_t child = kw_helper();
	int status;

	if (!child) {
		if (setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			_exit(255);
		_exit(fn(pid));
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int adopt_other(pid_t pid)
{
	return kw_adopt(pid);
}

static int release_other(pid_t pid)
{
	return kw_release(pid);
}

static int reap_other(pid_t pid)
{
	return -kw_reap(pid, 0, 0);
}

/* Anyone may adopt the own process, if that is a reaper. */
static int adopt_self(pid_t pid)
{
	struct kwaitd_adopt arg = { .pidfd = KWAITD_SELF };
	struct kwaitd_reap reap = { .pidfd = KWAITD_SELF };

	if (kw_ctl(KWAITD_IOC_ADOPT, &arg) != EINVAL ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1) ||
	    kw_ctl(KWAITD_IOC_ADOPT, &arg) ||
	    kw_ctl(KWAITD_IOC_ADOPT, &arg) != EALREADY ||
	    kw_orphans(5, KW_AFTER_PARENT, false) != 5 ||
	    !kw_until(waitpid(-1, NULL, WNOHANG) == -1) ||
	    kw_ctl(KWAITD_IOC_REAP, &reap) || reap.nr)
		return 1;
	return kw_ctl(KWAITD_IOC_RELEASE, &arg);
}

TEST_F(reaper, nobody)
{
	EXPECT_EQ(EPERM, as_nobody(adopt_other, self->r.pid));
	EXPECT_EQ(0, as_nobody(adopt_self, 0));
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	EXPECT_EQ(EPERM, as_nobody(release_other, self->r.pid));
	EXPECT_EQ(EPERM, as_nobody(reap_other, self->r.pid));
	EXPECT_EQ(EPERM, as_nobody(adopt_other, self->r.pid));
}

/* Is it refused to do anything with this one? */
static bool all_denied(int pidfd)
{
	struct kwaitd_adopt arg = { .pidfd = pidfd };
	struct kwaitd_reap reap = { .pidfd = pidfd };

	return kw_ctl(KWAITD_IOC_ADOPT, &arg) == EPERM &&
	       kw_ctl(KWAITD_IOC_RELEASE, &arg) == EPERM &&
	       kw_ctl(KWAITD_IOC_REAP, &reap) == EPERM;
}

/* What a container's root may: 0, or the number of what went wrong */
static int container_root(int outside)
{
	struct kw_reaper r;
	int err = 0;

	/* Its own pid namespace, and one below */
	if (kw_adopt(1))
		err = 1;
	else if (!kw_reaper_start(&r, CLONE_NEWPID, NULL))
		err = 2;
	else if (kw_adopt(r.pid))
		err = 3;
	else if (kw_orphans(5, KW_AFTER_PARENT, false) != 5)
		err = 4;
	else if (kw_release(r.pid) || kw_release(1))
		err = 5;
	/* and nothing else, by a pidfd that somebody left lying around */
	else if (!all_denied(outside))
		err = 6;
	return err;
}

TEST_F(reaper, user_namespace)
{
	int outside = kw_pidfd(self->r.pid), go[2], status;
	char c, path[64];
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	pid = kw_fork(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | SIGCHLD);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (read(go[0], &c, 1) != 1 || setresuid(0, 0, 0) ||
		    mount("proc", "/proc", "proc", 0, NULL))
			_exit(100);
		_exit(container_root(outside));
	}
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	ASSERT_EQ(0, kw_write(path, "0 65534 1"));
	ASSERT_EQ(1, write(go[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(outside);
}

/* Root of a user namespace, but in a pid namespace that is not of that */
TEST_F(reaper, user_namespace_alone)
{
	int r = kw_pidfd(self->r.pid), init = kw_pidfd(1), status;
	pid_t pid;

	pid = kw_fork(CLONE_NEWUSER | SIGCHLD);
	if (!pid)
		_exit(!all_denied(r) || !all_denied(init));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(r);
	close(init);
}

/* Who joins a container may what its root may. */
TEST_F(reaper, user_namespace_joined)
{
	const int outside = kw_pidfd(self->r.pid);
	struct kw_reaper r;
	int status, inside;
	pid_t pid;

	ASSERT_TRUE(kw_reaper_start(&r, CLONE_NEWUSER | CLONE_NEWPID, NULL));
	inside = kw_pidfd(r.pid);
	pid = kw_helper();
	if (!pid) {
		struct kwaitd_adopt arg = { .pidfd = inside };

		if (setns(inside, CLONE_NEWUSER | CLONE_NEWPID))
			_exit(1);
		_exit(kw_ctl(KWAITD_IOC_ADOPT, &arg) ||
		      kw_ctl(KWAITD_IOC_RELEASE, &arg) ||
		      !all_denied(outside) ? 2 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	kw_reaper_stop(&r);
	close(inside);
	close(outside);
}

/* A reaper that was adopted is not seen from beside or below. */
static int hidden(pid_t unused)
{
	struct kwaitd_list list = { .size = sizeof(struct kwaitd_reaper) };

	return kw_ctl(KWAITD_IOC_LIST, &list) ?: (int)list.nr;
}

TEST_F(reaper, list_from_container)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, kw_adopt(self->r.pid));
	pid = kw_fork(CLONE_NEWPID | SIGCHLD);
	if (!pid)
		_exit(hidden(0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
