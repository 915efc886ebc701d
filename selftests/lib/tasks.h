/* SPDX-License-Identifier: GPL-2.0 */
/* Search all tasks in /proc, and count those that meet a condition. */
#ifndef _KWAITD_LIB_TASKS_H
#define _KWAITD_LIB_TASKS_H

#include "proc.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* How many processes have this name? *pid is set to one of them. */
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

/* How many tasks, threads included, are dead and not yet released? */
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

/* How many children of this process are zombies? */
static inline int kw_zombies_of(pid_t parent)
{
	DIR *proc = opendir("/proc");
	char line[512], *paren, state;
	struct dirent *p;
	int n = 0, ppid;

	while (proc && (p = readdir(proc))) {
		if (p->d_name[0] < '0' || p->d_name[0] > '9' ||
		    !kw_proc_line(p->d_name, "stat", line, sizeof(line)))
			continue;
		paren = strrchr(line, ')');
		if (paren && sscanf(paren, ") %c %d", &state, &ppid) == 2 &&
		    ppid == parent && state == 'Z')
			n++;
	}
	if (proc)
		closedir(proc);
	return n;
}

#endif /* _KWAITD_LIB_TASKS_H */
