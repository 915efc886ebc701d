/* SPDX-License-Identifier: GPL-2.0 */
/* What there is to see of one task: whether it exists, and what /proc says about it. */
#ifndef _KWAITD_LIB_PROC_H
#define _KWAITD_LIB_PROC_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static inline bool kw_gone(pid_t pid)
{
	return kill(pid, 0) == -1 && errno == ESRCH;
}

/* Return: a number from /proc/PID/status, or -1 if there is no such field or process */
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

/* Is the signal pending for the process? */
static inline bool kw_proc_pending(pid_t pid, int sig)
{
	return kw_proc_number(pid, "ShdPnd", 16) & 1L << (sig - 1);
}

/*
 * The state in a file such as /proc/PID/stat, as ps shows it: 'R', 'S', 'Z', ... Return:
 * '?' if there is no such task
 */
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

/* Read the first line of /proc/PID/NAME. */
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

/* Return: the only child of a process, or 0 */
static inline pid_t kw_child_of(pid_t parent)
{
	char name[32], line[64] = "", id[16];

	snprintf(id, sizeof(id), "%d", parent);
	snprintf(name, sizeof(name), "task/%d/children", parent);
	return kw_proc_line(id, name, line, sizeof(line)) ? atoi(line) : 0;
}

/* Is the process blocked in this system call? */
static inline bool kw_is_in(pid_t pid, long nr)
{
	char id[16], line[256];

	snprintf(id, sizeof(id), "%d", pid);
	return kw_proc_line(id, "syscall", line, sizeof(line)) &&
	       line[0] != 'r' && atol(line) == nr;
}

#endif /* _KWAITD_LIB_PROC_H */
