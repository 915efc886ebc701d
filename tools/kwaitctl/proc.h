/* SPDX-License-Identifier: GPL-2.0 */
/* What /proc/PID/ tells of a process. */
#ifndef _KWAITCTL_PROC_H
#define _KWAITCTL_PROC_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct proc {
	pid_t pid;
	pid_t ppid;
	char comm[64];
	char state;
	long threads;
	int cpu;		/* where it last ran */
	__u64 start;		/* clock ticks since boot */
};

bool proc_read(pid_t pid, struct proc *proc);
bool proc_status(pid_t pid, const char *field, char *buf, size_t size);
__u64 proc_status_hex(pid_t pid, const char *field);
bool proc_is_init(pid_t pid);
pid_t proc_tracer(pid_t pid);
void proc_comm(pid_t pid, char *buf, size_t size);
void proc_cgroup(pid_t pid, char *buf, size_t size);
bool proc_age(const struct proc *zombie, double *age);

#endif /* _KWAITCTL_PROC_H */
