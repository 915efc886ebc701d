/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kwaitd selftests share: creating detached tasks, reading the
 * module's counters, and waiting for a condition with a deadline.
 */
#ifndef _KWAITD_TEST_H
#define _KWAITD_TEST_H

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A program that is no test, and may have several files, defines KW_NO_HARNESS. */
#ifndef KW_NO_HARNESS
#include "kselftest_harness.h"
#endif

#ifndef CLONE_DETACHED
#define CLONE_DETACHED 0x00400000
#endif

#define KW_DEBUGFS "/sys/kernel/debug/kwaitd/"
#define KW_PARAMS "/sys/module/kwaitd/parameters/"
#define KW_TRACEFS "/sys/kernel/tracing/"
#define KW_DEADLINE kw_deadline()
#define KW_STACK 16384
#define KW_BATCH "16"		/* the default */
#define KW_CODE 7		/* an exit code like no other */
#define KW_EXITED W_EXITCODE(KW_CODE, 0)

/*
 * Seconds to wait for what should take no time at all. A machine may be as late as that,
 * and only a test that fails waits so long.
 */
static inline int kw_deadline(void)
{
	const char *slow = getenv("KWAITD_SLOW");

	return 120 * (slow ? atoi(slow) : 1);
}

/* How much of something to do: @much where there is time for it, as in make check-all */
static inline int kw_amount(int enough, int much)
{
	return getenv("KWAITD_LONG") ? much : enough;
}

/* Poll until cond is true; false if it is not after KW_DEADLINE. */
#define kw_until(cond) ({						\
	time_t __end = time(NULL) + KW_DEADLINE;			\
	bool __ok;							\
	while (!(__ok = (cond)) && time(NULL) <= __end)			\
		usleep(500);						\
	__ok;								\
})

/* A line of the counters of all CPUs; -1: no such counter */
static inline long kw_stat(const char *name)
{
	FILE *f = fopen(KW_DEBUGFS "stats", "r");
	char key[64];
	long val, found = -1;

	while (f && fscanf(f, "%63s %ld", key, &val) == 2) {
		if (!strcmp(key, name))
			found = val;
	}
	if (f)
		fclose(f);
	return found;
}

/* The same of one CPU, from the table */
static inline long kw_cpu_stat(int cpu, const char *name)
{
	FILE *f = fopen(KW_DEBUGFS "per_cpu", "r");
	char line[2048], *tok, *save;
	int col = -1, i;
	long found = -1;

	while (f && fgets(line, sizeof(line), f)) {
		tok = strtok_r(line, "\n ", &save);
		if (col >= 0 && tok && atoi(tok) != cpu)
			continue;
		for (i = 0; tok; i++, tok = strtok_r(NULL, "\n ", &save)) {
			if (col < 0 && !strcmp(tok, name))
				col = i;
			else if (col == i)
				found = atol(tok);
			if (found >= 0)
				break;
		}
	}
	if (f)
		fclose(f);
	return found;
}

static inline bool kw_loaded(void)
{
	return access(KW_DEBUGFS "stats", R_OK) == 0;
}

/*
 * Load it: the file that KWAITD_KO names, or what modprobe finds. Return: 0, or
 * something else and, with KWAITD_KO, errno
 */
static inline int kw_load(const char *params)
{
	const char *ko = getenv("KWAITD_KO");
	char command[128];
	int fd, ret;

	if (!ko) {
		snprintf(command, sizeof(command), "modprobe kwaitd %s", params);
		return system(command);
	}
	fd = open(ko, O_RDONLY | O_CLOEXEC);
	ret = syscall(SYS_finit_module, fd, params, 0);
	close(fd);
	return ret;
}

/* Return: false, and nothing has happened, as long as there are live marks */
static inline bool kw_unload(void)
{
	return !syscall(SYS_delete_module, "kwaitd", O_NONBLOCK);
}

static inline long kw_queued(void)
{
	return kw_stat("queued_threads") + kw_stat("queued_processes") +
	       kw_stat("queued_orphans");
}

static inline long kw_inline(void)
{
	FILE *f = fopen(KW_DEBUGFS "stats", "r");
	char key[64];
	long val, sum = 0;

	while (f && fscanf(f, "%63s %ld", key, &val) == 2) {
		if (!strncmp(key, "inline_", 7))
			sum += val;
	}
	if (f)
		fclose(f);
	return sum;
}

static inline bool kw_at_rest(void)
{
	return kw_stat("backlog") == 0 && kw_queued() == kw_stat("reaped");
}

/*
 * How many were marked and neither queued nor released inline: they are alive.
 * Only the difference to another moment means anything, since offload=all
 * queues those that were not marked.
 */
static inline long kw_unaccounted(void)
{
	return kw_stat("marked_threads") + kw_stat("marked_processes") -
	       kw_queued() - kw_inline();
}

/* Write a string to a file; 0 or errno */
static inline int kw_write(const char *path, const char *val)
{
	int fd = open(path, O_WRONLY), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, val, strlen(val)) != (ssize_t)strlen(val))
		err = errno;
	close(fd);
	return err;
}

/* The first line of a file, without its newline; "" if it cannot be read */
static inline const char *kw_read(const char *path)
{
	static char buf[256];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static inline bool kw_gone(pid_t pid)
{
	return kill(pid, 0) == -1 && errno == ESRCH;
}

static inline bool kw_kernel_since(int major, int minor)
{
	struct utsname name;
	int a = 0, b = 0;

	return !uname(&name) && sscanf(name.release, "%d.%d", &a, &b) == 2 &&
	       (a > major || (a == major && b >= minor));
}

/* fork() with other flags than SIGCHLD */
static inline pid_t kw_fork(unsigned long flags)
{
	return syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
}

/* As fork(), if args say nothing about memory or a stack */
static inline pid_t kw_clone3(struct clone_args *args)
{
	return syscall(SYS_clone3, args, sizeof(*args));
}

/* Does this kernel know CLONE_AUTOREAP by itself? */
static inline bool kw_native(void)
{
	return kw_kernel_since(7, 1);
}

/*
 * The ways to create a child, and the variants of every test of what becomes of
 * it. The ordinary one is the control: it ends as a zombie that must be waited
 * for, so a test that cannot tell a detached child from an ordinary one fails.
 */
enum kw_kind {
	KW_ORDINARY,	/* fork() */
	KW_DETACHED,	/* clone(CLONE_DETACHED) */
	KW_AUTOREAP,	/* clone3(CLONE_AUTOREAP) */
};

/* fork() a child of a kind, with further flags that need no stack */
static inline pid_t kw_child(enum kw_kind kind, __u64 flags)
{
	struct clone_args args = { .flags = flags };

	switch (kind) {
	case KW_ORDINARY:
		args.exit_signal = SIGCHLD;
		break;
	case KW_DETACHED:
		return kw_fork(flags | CLONE_DETACHED | SIGCHLD);
	case KW_AUTOREAP:
		args.flags |= CLONE_AUTOREAP;
		break;
	}
	return kw_clone3(&args);
}

/*
 * The same of one that exits with KW_CODE when kw_let_die() is called with *die,
 * or when all who have that are dead.
 */
static inline pid_t kw_child_until(enum kw_kind kind, __u64 flags, int *die)
{
	int fds[2];
	pid_t pid;
	char c;

	if (pipe(fds))
		return -1;
	pid = kw_child(kind, flags);
	if (!pid) {
		close(fds[1]);
		_exit(read(fds[0], &c, 1) < 0 ? 1 : KW_CODE);
	}
	close(fds[0]);
	*die = fds[1];
	return pid;
}

static inline bool kw_let_die(int die)
{
	bool ok = write(die, "", 1) == 1;

	close(die);
	return ok;
}

/* fork() a helper that does not outlive the test */
static inline pid_t kw_helper(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* A thread that shares the caller's TLS, so fn may not use libc's errno */
static inline pid_t kw_clone_thread(unsigned long flags, int (*fn)(void *),
				    void *stack, void *arg, pid_t *tid)
{
	return clone(fn, (char *)stack + KW_STACK,
		     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		     CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
		     CLONE_CHILD_CLEARTID | flags,
		     arg, tid, NULL, tid);
}

/*
 * A thread the way Ingo's seed wanted it: created detached, and its exit is one
 * system call.
 */
static inline pid_t kw_thread(int (*fn)(void *), void *stack, void *arg,
			      pid_t *tid)
{
	return kw_clone_thread(CLONE_DETACHED, fn, stack, arg, tid);
}

static inline void *kw_stacks(unsigned int n)
{
	void *p = mmap(NULL, (size_t)n * KW_STACK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static inline int kw_thread_exits(void *arg)
{
	(void)arg;
	syscall(SYS_exit, 0);
	return 0;
}

/* Until the process is killed, at the latest when who created it dies */
static inline int kw_thread_waits(void *arg)
{
	(void)arg;
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
	return 0;
}

/*
 * So that a thread which is created later and dies is not the last but one, nor the first
 * of two: it would not be queued.
 */
static inline bool kw_second_thread(void)
{
	static pid_t tid;

	return kw_thread(kw_thread_waits, kw_stacks(1), NULL, &tid) > 0;
}

/* For a thread: a byte from the pipe that arg is, or false: its writer is gone */
static inline bool kw_told(void *arg)
{
	int *gate = arg;
	char c;

	syscall(SYS_close, gate[1]);
	return syscall(SYS_read, gate[0], &c, 1) == 1;
}

/* A process of several threads, and what each of them does */
struct kw_team {
	int (*leader)(void *arg);
	int (*first)(void *arg);	/* of the other threads */
	int (*rest)(void *arg);
	void *arg;
	unsigned int threads;	/* besides the leader */
	unsigned long flags;	/* CLONE_DETACHED or nothing */
};

/* From none to 1, 2, 8 and 32 threads; each number also with detached ones */
static inline bool kw_team_next(struct kw_team *team)
{
	if (team->threads && !team->flags) {
		team->flags = CLONE_DETACHED;
		return true;
	}
	team->flags = 0;
	team->threads = team->threads < 2 ? team->threads + 1 : team->threads * 4;
	return team->threads <= 32;
}

/* A child like that. All its threads are there when /proc counts them. */
static inline pid_t kw_team(enum kw_kind kind, __u64 flags,
			    const struct kw_team *team)
{
	pid_t pid = kw_child(kind, flags), tid;
	unsigned int i;
	char *stacks;

	if (pid)
		return pid;
	stacks = kw_stacks(team->threads);
	for (i = 0; stacks && i < team->threads; i++)
		kw_clone_thread(team->flags, i ? team->rest : team->first,
				stacks + i * KW_STACK, team->arg, &tid);
	team->leader(team->arg);
	_exit(1);
}

/* Zeroed memory that children will share, execve() apart; NULL: none left */
static inline void *kw_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* A number in /proc/PID/status; -1 if there is no such field or process */
static inline long kw_proc_number(pid_t pid, const char *field, int base)
{
	char path[64], line[256];
	long val = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, field, strlen(field)) &&
		    line[strlen(field)] == ':')
			val = strtol(line + strlen(field) + 1, NULL, base);
	}
	if (f)
		fclose(f);
	return val;
}

static inline long kw_proc_status(pid_t pid, const char *field)
{
	return kw_proc_number(pid, field, 10);
}

static inline bool kw_proc_pending(pid_t pid, int sig)
{
	return kw_proc_number(pid, "ShdPnd", 16) & 1L << (sig - 1);
}

/* The letter ps shows: 'R', 'S', 'Z', ...; '?' if there is no such task */
static inline char kw_stat_state(const char *path)
{
	char line[512], *paren;
	char state = '?';
	FILE *f = fopen(path, "r");

	if (f && fgets(line, sizeof(line), f)) {
		paren = strrchr(line, ')');
		state = paren ? paren[2] : '?';
	}
	if (f)
		fclose(f);
	return state;
}

static inline char kw_proc_state(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return kw_stat_state(path);
}

/*
 * The end of a child of the caller's that is dying: that of its kind? Collects an
 * ordinary one, and puts its wait status where status points.
 */
static inline bool kw_ends(enum kw_kind kind, pid_t pid, int *status)
{
	if (kind == KW_ORDINARY)
		return kw_until(kw_proc_state(pid) == 'Z') &&
		       waitpid(pid, status, __WALL) == pid;
	return kw_until(kw_gone(pid)) &&
	       waitpid(pid, status, __WALL) == -1 && errno == ECHILD;
}

/* The first line of /proc/PID/NAME */
static inline bool kw_proc_line(const char *pid, const char *name, char *line,
				int size)
{
	char path[64];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%.16s/%s", pid, name);
	f = fopen(path, "r");
	if (!f)
		return false;
	ok = fgets(line, size, f);
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return ok;
}

/* How many processes have this name; *pid is one of them */
static inline int kw_named(const char *name, pid_t *pid)
{
	DIR *proc = opendir("/proc");
	struct dirent *p;
	char line[64];
	int n = 0;

	while (proc && (p = readdir(proc))) {
		if (p->d_name[0] < '0' || p->d_name[0] > '9' ||
		    !kw_proc_line(p->d_name, "comm", line, sizeof(line)) ||
		    strcmp(line, name))
			continue;
		*pid = atoi(p->d_name);
		n++;
	}
	if (proc)
		closedir(proc);
	return n;
}

/* Keep SIGCHLD pending when it comes; children and execve() inherit this. */
static inline void kw_hold_sigchld(void)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
}

/* Did it come since the last call? */
static inline bool kw_took_sigchld(void)
{
	const struct timespec at_once = {};
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	return sigtimedwait(&chld, NULL, &at_once) == SIGCHLD;
}

/* As kw_ends(), an ordinary one with that status and a SIGCHLD; else without */
static inline bool kw_ends_with(enum kw_kind kind, pid_t pid, int status)
{
	bool ordinary = kind == KW_ORDINARY;
	int seen = -1;

	return kw_ends(kind, pid, &seen) && (!ordinary || seen == status) &&
	       kw_proc_pending(getpid(), SIGCHLD) == ordinary;
}

#ifndef KW_NO_HARNESS
/*
 * The same as kw_ends(), with SIGCHLD held: an ordinary child sends it and ends
 * with that wait status. False if something is wrong, which has been said.
 */
static inline bool kw_expect_end(struct __test_metadata *_metadata,
				 enum kw_kind kind, pid_t pid, int expected)
{
	bool ordinary = kind == KW_ORDINARY;
	int status = 0, wanted = ordinary ? expected : 0;
	bool ended = kw_ends(kind, pid, &status);
	bool signalled = kw_took_sigchld();

	EXPECT_TRUE(ended);
	EXPECT_EQ(ordinary, signalled);
	EXPECT_EQ(wanted, status);
	return ended && signalled == ordinary && status == wanted;
}
#endif

/* How many tasks there are, threads included, that are dead and not released */
static inline int kw_dead_tasks(void)
{
	char path[64], *end;
	struct dirent *p, *t;
	DIR *proc = opendir("/proc"), *tasks;
	int n = 0;

	while (proc && (p = readdir(proc))) {
		if (!strtol(p->d_name, &end, 10) || *end)
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/task", p->d_name);
		tasks = opendir(path);
		while (tasks && (t = readdir(tasks))) {
			snprintf(path, sizeof(path), "/proc/%.16s/task/%.16s/stat",
				 p->d_name, t->d_name);
			if (strchr("ZX", kw_stat_state(path)))
				n++;
		}
		if (tasks)
			closedir(tasks);
	}
	if (proc)
		closedir(proc);
	return n;
}

static inline int kw_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static inline bool kw_cpu_online(int cpu)
{
	cpu_set_t set;

	return !sched_getaffinity(1, sizeof(set), &set) && CPU_ISSET(cpu, &set);
}

#ifndef KW_NO_HARNESS

/*
 * The harness ends a test that takes too long. Only one that hangs is to end so, and
 * none that still has patience. One that takes its time says how much (TEST_F_TIMEOUT).
 */
static int kw_harness_run(int argc, char **argv)
{
	struct __fixture_metadata *f;
	struct __test_metadata *t;

	for (f = __fixture_list; f; f = f->next) {
		for (t = f->tests; t; t = t->next) {
			if (t->timeout < 10 * KW_DEADLINE)
				t->timeout = 10 * KW_DEADLINE;
		}
	}
	return test_harness_run(argc, argv);
}

/* for TEST_HARNESS_MAIN */
#define test_harness_run kw_harness_run

/*
 * Every test starts and ends at rest, with the parameters' default values, and
 * with nothing lost on the way.
 */
FIXTURE(kwaitd) {
	long queued;
};

FIXTURE_SETUP(kwaitd)
{
	if (!kw_loaded())
		SKIP(_exit(255), "kwaitd is not loaded");
	ASSERT_EQ(0, kw_write(KW_PARAMS "offload", "detached"));
	ASSERT_EQ(0, kw_write(KW_PARAMS "batch", KW_BATCH));
	ASSERT_EQ(0, kw_write(KW_PARAMS "max_backlog", "256"));
	ASSERT_TRUE(kw_until(kw_at_rest()));
	self->queued = kw_queued();
}

FIXTURE_TEARDOWN(kwaitd)
{
	if (!kw_loaded())
		return;
	kw_write(KW_PARAMS "offload", "detached");
	kw_write(KW_PARAMS "batch", KW_BATCH);
	kw_write(KW_PARAMS "max_backlog", "256");
	EXPECT_TRUE(kw_until(kw_at_rest()));
}

/*
 * The same for each way to create a child. Where the kernel has CLONE_AUTOREAP
 * itself these also run without the module: then they say what is expected of it.
 * In the end nothing dead is left anywhere, nor a mark.
 */
FIXTURE(child) {
	bool loaded;
};

FIXTURE_VARIANT(child) {
	enum kw_kind kind;
};

FIXTURE_VARIANT_ADD(child, ordinary) { .kind = KW_ORDINARY };
FIXTURE_VARIANT_ADD(child, detached) { .kind = KW_DETACHED };
FIXTURE_VARIANT_ADD(child, autoreap) { .kind = KW_AUTOREAP };

FIXTURE_SETUP(child)
{
	self->loaded = kw_loaded();
	/* By 255 the harness knows a skip. It would run the test after a return. */
	if (!self->loaded && (!kw_native() || variant->kind == KW_DETACHED))
		SKIP(_exit(255), "kwaitd is not loaded");
	if (self->loaded) {
		ASSERT_EQ(0, kw_write(KW_PARAMS "offload", "detached"));
		ASSERT_EQ(0, kw_write(KW_PARAMS "batch", KW_BATCH));
		ASSERT_TRUE(kw_until(kw_at_rest()));
	}
	ASSERT_TRUE(kw_until(kw_dead_tasks() == 0));
}

FIXTURE_TEARDOWN(child)
{
	/* What is left over then goes with the test, before its time is up. */
	if (!_metadata->passed)
		return;
	EXPECT_TRUE(kw_until(kw_dead_tasks() == 0));
	if (!self->loaded)
		return;
	EXPECT_TRUE(kw_until(kw_at_rest()));
	EXPECT_TRUE(kw_until(kw_stat("live_marks") == 0));
}

#endif /* KW_NO_HARNESS */
#endif /* _KWAITD_TEST_H */
