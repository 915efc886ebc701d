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
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
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

#include "kselftest_harness.h"

#ifndef CLONE_DETACHED
#define CLONE_DETACHED 0x00400000
#endif

#define KW_DEBUGFS "/sys/kernel/debug/kwaitd/"
#define KW_PARAMS "/sys/module/kwaitd/parameters/"
#define KW_TRACEFS "/sys/kernel/tracing/"
#define KW_DEADLINE 20		/* s, for what should take no time at all */
#define KW_STACK 16384

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

/* fork() a helper that does not outlive the test */
static inline pid_t kw_helper(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/*
 * A thread the way Ingo's seed wanted it: created detached, and its exit is one
 * system call. It shares the caller's TLS, so fn may not use libc's errno.
 */
static inline pid_t kw_thread(int (*fn)(void *), void *stack, void *arg,
			      pid_t *tid)
{
	return clone(fn, (char *)stack + KW_STACK,
		     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		     CLONE_THREAD | CLONE_SYSVSEM | CLONE_DETACHED |
		     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
		     arg, tid, NULL, tid);
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

/* The letter ps shows: 'R', 'S', 'Z', ...; 0 if there is no such process */
static inline char kw_proc_state(pid_t pid)
{
	char path[64], line[512], *paren;
	char state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f)) {
		paren = strrchr(line, ')');
		state = paren ? paren[2] : 0;
	}
	if (f)
		fclose(f);
	return state;
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
		SKIP(return, "kwaitd is not loaded");
	ASSERT_EQ(0, kw_write(KW_PARAMS "offload", "detached"));
	ASSERT_EQ(0, kw_write(KW_PARAMS "batch", "1"));
	ASSERT_EQ(0, kw_write(KW_PARAMS "max_backlog", "256"));
	ASSERT_TRUE(kw_until(kw_at_rest()));
	self->queued = kw_queued();
}

FIXTURE_TEARDOWN(kwaitd)
{
	if (!kw_loaded())
		return;
	kw_write(KW_PARAMS "offload", "detached");
	kw_write(KW_PARAMS "batch", "1");
	kw_write(KW_PARAMS "max_backlog", "256");
	EXPECT_TRUE(kw_until(kw_at_rest()));
}

#endif /* _KWAITD_TEST_H */
