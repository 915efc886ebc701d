// SPDX-License-Identifier: GPL-2.0
/*
 * The module is unloaded and loaded again, over and over, while detached threads and
 * processes come and go. A task is released by kwaitd or, without it, by the kernel. A
 * parent whose child was created without kwaitd can wait for it as ever.
 *
 * If this fails, the module cannot be updated on a machine that is in use: tasks are lost,
 * or it crashes. KWAITD_KO names the module's file, see kw_load().
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/ctl.h"
#include "lib/file.h"
#include "lib/kernel.h"
#include "lib/module.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/reaper.h"
#include "lib/tasks.h"
#include "lib/thread.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define CYCLES kw_amount(4, 50)	/* of some seconds each, in which hundreds of tasks die */
#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP CGROUP_ROOT "/kwaitd_test"

#define FTRACE_ENABLED "/proc/sys/kernel/ftrace_enabled"
#define FTRACE_STAYS_ON kw_kernel_since(7, 0)
#define KPROBES_ENABLED "/sys/kernel/debug/kprobes/enabled"

static long created(long *ledger)
{
	return __atomic_load_n(ledger, __ATOMIC_RELAXED);
}

/*
 * Threads and processes until told to stop; children that turned out ordinary
 * are collected. Exits with 0 if all were created, and all are gone.
 */
static void storm(const int *stop, long *ledger)
{
	char *stack = (char *)kw_stacks(2) + 2 * KW_STACK;
	struct pollfd p = { .events = POLLIN };
	struct clone_args args = {
		.flags = CLONE_AUTOREAP | CLONE_PIDFD,
		.pidfd = (unsigned long)&p.fd,
	};
	volatile pid_t tid = 0;
	volatile pid_t pid = 0;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		pid = clone(kw_thread_exits, stack,
			    CLONE_VM | CLONE_VFORK | CLONE_DETACHED, NULL);
		if (pid < 0)
			_exit(1);
		while (tid)
			sched_yield();
		tid = -1;
		if (kw_thread(kw_thread_exits, stack - 2 * KW_STACK, NULL,
			      (pid_t *)&tid) < 0)
			_exit(2);
		pid = kw_clone3(&args);
		if (!pid)
			_exit(0);
		if (pid < 0 && errno != EINVAL)
			_exit(5);
		if (pid > 0) {
			poll(&p, 1, -1);
			close(p.fd);
		}
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			;
		__atomic_add_fetch(ledger, pid > 0 ? 3 : 2, __ATOMIC_RELAXED);
		/* There must be moments when no marked process keeps the module. */
		usleep(2000);
	}
	while (tid)
		usleep(100);
	/* what is left are zombies nobody else will collect */
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	if (kw_proc_status(getpid(), "Threads") != 1 &&
	    !kw_until(kw_proc_status(getpid(), "Threads") == 1))
		_exit(3);
	_exit(pid < 0 || kw_until(kw_gone(pid)) ? 0 : 4);
}

TEST_F(kwaitd, under_load)
{
	int storms = sysconf(_SC_NPROCESSORS_ONLN) + 1, i, status;
	int *stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long *ledger = (long *)(stop + 2), before, used = 0;
	pid_t pid[storms];

	for (i = 0; i < storms; i++) {
		pid[i] = kw_helper();
		if (!pid[i])
			storm(stop, ledger);
	}
	for (i = 0; i < CYCLES; i++) {
		/* Some work before, so that there is something to unload, */
		before = kw_queued();
		ASSERT_TRUE(kw_until(kw_queued() > before));
		used += kw_queued();
		ASSERT_TRUE(kw_until(kw_unload()));
		ASSERT_FALSE(kw_loaded());
		/* and some without it. */
		before = created(ledger);
		ASSERT_TRUE(kw_until(created(ledger) > before));
		ASSERT_EQ(0, kw_load(""));
	}
	*stop = 1;
	for (i = 0; i < storms; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_TRUE(kw_until(kw_stat("live_marks") == 0));
	EXPECT_TRUE(kw_until(kw_at_rest()));
	TH_LOG("%ld tasks, at least %ld of them through %d kwaitds",
	       created(ledger), used, CYCLES);
}

/* 0 or what clone3(CLONE_AUTOREAP) fails with */
static int autoreap_errno(void)
{
	pid_t pid = kw_child(KW_AUTOREAP, 0);

	if (!pid)
		_exit(0);
	return pid < 0 ? errno : 0;
}

/* The flag is the module's only where the kernel does not know it. */
TEST_F(kwaitd, clone3_parameter)
{
	static const struct {
		const char *param;
		bool works;
	} given[] = {
		{ "clone3=off", false }, { "clone3=on", true }, { "clone3=auto", true },
	};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(kw_until(kw_unload()));
		EXPECT_EQ(kw_native() ? 0 : EINVAL, autoreap_errno());
		ASSERT_EQ(0, kw_load(given[i].param));
		EXPECT_STREQ(strchr(given[i].param, '=') + 1,
			     kw_read(KW_PARAMS "clone3"));
		EXPECT_EQ(kw_native() || given[i].works ? 0 : EINVAL,
			  autoreap_errno());
		ASSERT_TRUE(kw_until(kw_stat("live_marks") == 0));
	}
	ASSERT_TRUE(kw_until(kw_unload()));
	EXPECT_NE(0, kw_load("clone3=maybe"));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NE(0, kw_load("clone3="));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_FALSE(kw_loaded());
	ASSERT_EQ(0, kw_load(""));
	/* Not to be changed afterwards */
	EXPECT_EQ(EACCES, kw_write(KW_PARAMS "clone3", "off"));
	EXPECT_STREQ("auto", kw_read(KW_PARAMS "clone3"));
}

/* kwaitd's own threads exit like any other, and must not queue themselves. */
TEST_F(kwaitd, while_all_is_queued)
{
	pid_t pid;

	ASSERT_EQ(0, kw_write(KW_PARAMS "offload", "all"));
	ASSERT_TRUE(kw_until(kw_unload()));
	/* That would be for ever. */
	EXPECT_TRUE(kw_until(kw_named("kwaitd/0", &pid) == 0 && kw_dead_tasks() == 0));
	ASSERT_EQ(0, kw_load(""));
}

/* Is the init of a new pid namespace adopted from birth, and so its orphans no zombies? */
static bool born_adopted(void)
{
	struct kwaitd_reaper info;
	struct kw_reaper r;
	bool adopted;

	if (!kw_reaper_start(&r, CLONE_NEWPID, NULL))
		return false;
	adopted = kw_listed(r.pid, &info) &&
		  info.flags == (KWAITD_REAPER_INIT | KWAITD_REAPER_AUTO) &&
		  kw_tell(&r, KW_ORPHANS, 10) == 10 && kw_took_orphans(r.pid, 10);
	kw_reaper_stop(&r);
	return adopted;
}

/* Given at load, as at boot: before there is the cgroup. */
TEST_F(kwaitd, auto_adopt_parameter)
{
	ASSERT_TRUE(kw_until(kw_unload()));
	ASSERT_NE(0, access(CGROUP, F_OK));
	ASSERT_EQ(0, kw_load("auto_adopt=cgroup:/kwaitd_test"));
	EXPECT_STREQ("cgroup:/kwaitd_test", kw_read(KW_PARAMS "auto_adopt"));
	ASSERT_EQ(0, mkdir(CGROUP, 0755));
	EXPECT_FALSE(born_adopted());
	EXPECT_EQ(0, kw_write(CGROUP "/cgroup.procs", "0"));
	EXPECT_TRUE(born_adopted());
	EXPECT_EQ(0, kw_write(CGROUP_ROOT "/cgroup.procs", "0"));
	EXPECT_TRUE(kw_until(rmdir(CGROUP) == 0));
	ASSERT_TRUE(kw_until(kw_unload()));
	ASSERT_EQ(0, kw_load(""));
	EXPECT_STREQ("off", kw_read(KW_PARAMS "auto_adopt"));
}

static int clone3_of(void *args)
{
	pid_t pid = syscall(SYS_clone3, args, sizeof(struct clone_args));

	if (!pid)
		_exit(0);
	_exit(pid > 0 ? KW_CODE : 1);
}

/* A clone3() that waits for its arguments is in the module until it has them. */
TEST_F(kwaitd, while_in_clone3)
{
	const size_t size = sysconf(_SC_PAGESIZE);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_copy copy = { .len = size };
	struct clone_args *args;
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC), status;
	struct uffd_msg msg;
	char *pages, *stack = kw_stacks(1);
	pid_t pid;

	if (kw_native())
		SKIP(return, "the kernel's own CLONE_AUTOREAP");
	ASSERT_LE(0, fd);
	pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	args = (void *)(pages + size);
	*args = (struct clone_args){ .flags = CLONE_AUTOREAP };
	reg.range.start = (uintptr_t)pages;
	reg.range.len = size;
	ASSERT_EQ(0, ioctl(fd, UFFDIO_API, &api));
	ASSERT_EQ(0, ioctl(fd, UFFDIO_REGISTER, &reg));
	/* One that shares memory: the page is missing for it, too. */
	pid = clone(clone3_of, stack + KW_STACK, CLONE_VM | SIGCHLD, pages);
	ASSERT_LT(0, pid);
	ASSERT_EQ((ssize_t)sizeof(msg), read(fd, &msg, sizeof(msg)));
	EXPECT_FALSE(kw_unload());
	copy.dst = (uintptr_t)pages;
	copy.src = (uintptr_t)args;
	ASSERT_EQ(0, ioctl(fd, UFFDIO_COPY, &copy));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(KW_EXITED, status);
	close(fd);
	ASSERT_TRUE(kw_until(kw_unload()));
	ASSERT_EQ(0, kw_load(""));
}

static int count_lines(const char *path, const char *text)
{
	FILE *f = fopen(path, "r");
	char line[512];
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += !!strstr(line, text);
	if (f)
		fclose(f);
	return n;
}

/*
 * A kprobe in release_task(), there first or later, is no obstacle, and sees a task
 * that kwaitd releases as often as any other: when it dies.
 */
TEST_F(kwaitd, beside_kprobe)
{
	char process[32];
	pid_t pid;

	ASSERT_TRUE(kw_until(kw_unload()));
	ASSERT_EQ(0, kw_write(KW_TRACEFS "kprobe_events",
			      "p:kwaitd_selftest/first release_task"));
	ASSERT_EQ(0, kw_write(KW_TRACEFS "events/kwaitd_selftest/enable", "1"));
	ASSERT_EQ(0, kw_load(""));
	ASSERT_EQ(0, kw_write(KW_TRACEFS "kprobe_events",
			      "p:kwaitd_selftest/second release_task"));
	ASSERT_EQ(0, kw_write(KW_TRACEFS "events/kwaitd_selftest/enable", "1"));
	self->queued = kw_queued();
	pid = kw_fork(CLONE_DETACHED);
	if (!pid)
		_exit(0);
	ASSERT_TRUE(kw_until(kw_gone(pid)));
	EXPECT_EQ(self->queued + 1, kw_queued());
	snprintf(process, sizeof(process), "-%d ", pid);
	EXPECT_EQ(2, count_lines(KW_TRACEFS "trace", process));

	ASSERT_TRUE(kw_until(kw_unload()));
	pid = fork();
	if (!pid)
		_exit(0);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	ASSERT_EQ(0, kw_write(KW_TRACEFS "events/kwaitd_selftest/enable", "0"));
	ASSERT_EQ(0, kw_write(KW_TRACEFS "kprobe_events",
			      "-:kwaitd_selftest/first"));
	ASSERT_EQ(0, kw_write(KW_TRACEFS "kprobe_events",
			      "-:kwaitd_selftest/second"));
	ASSERT_EQ(0, kw_load(""));
}

/* Nobody turns the hooks off by turning tracing off. */
TEST_F(kwaitd, tracing_off)
{
	pid_t pid;

	/* Those that let nobody turn it off do not ask who minds. */
	EXPECT_EQ(FTRACE_STAYS_ON ? EOPNOTSUPP : EBUSY, kw_write(FTRACE_ENABLED, "0"));
	ASSERT_EQ(0, kw_write(KPROBES_ENABLED, "0"));
	pid = kw_fork(CLONE_DETACHED);
	if (!pid)
		_exit(0);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	EXPECT_EQ(self->queued + 1, kw_queued());
	ASSERT_EQ(0, kw_write(KPROBES_ENABLED, "1"));
}

/* What is off already cannot be used; newer kernels let nobody turn it off. */
TEST_F(kwaitd, refused_without_ftrace)
{
	int err;

	ASSERT_TRUE(kw_until(kw_unload()));
	err = kw_write(FTRACE_ENABLED, "0");
	EXPECT_EQ(FTRACE_STAYS_ON ? EOPNOTSUPP : 0, err);
	if (!err) {
		EXPECT_NE(0, kw_load(""));
		EXPECT_EQ(EBUSY, errno);
		EXPECT_FALSE(kw_loaded());
		EXPECT_EQ(0, kw_write(FTRACE_ENABLED, "1"));
	}
	ASSERT_EQ(0, kw_load(""));
}

/* A detached process that is alive keeps the module, where it holds the mark. */
TEST_F(kwaitd, live_mark_keeps_module)
{
	int die[2];
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(die));
	pid = kw_fork(CLONE_DETACHED);
	if (!pid) {
		close(die[1]);
		_exit(read(die[0], &c, 1) != 0);
	}
	if (kw_stat("live_marks")) {
		EXPECT_FALSE(kw_unload());
		EXPECT_EQ(EAGAIN, errno);
	} else {
		EXPECT_TRUE(kw_unload());
		EXPECT_EQ(0, kw_load(""));
	}
	close(die[1]);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
}

TEST_HARNESS_MAIN
