/* SPDX-License-Identifier: GPL-2.0 */
/* Counters: events since the module was loaded. debugfs.c shows them. */
#ifndef _KWAITD_COUNT_H
#define _KWAITD_COUNT_H

#include <linux/percpu.h>
#include <linux/types.h>

/*
 * One row of /sys/kernel/debug/kwaitd/per_cpu: each counts events on the CPU where they
 * happened. kwaitd(4) says what each means.
 */
enum kwaitd_counter {
	KWAITD_MARKED_THREADS,
	KWAITD_MARKED_PROCESSES,
	KWAITD_MARK_FAILED,
	KWAITD_QUEUED_THREADS,
	KWAITD_QUEUED_PROCESSES,
	KWAITD_QUEUED_ORPHANS,
	KWAITD_REAPED,
	KWAITD_REAPED_NS,
	KWAITD_WAKEUPS,
	KWAITD_STOLEN,
	KWAITD_COLLECTED,
	KWAITD_ORPHANS,
	KWAITD_SWEPT,
	KWAITD_ADOPT_PAUSED,
	KWAITD_ADOPT_FAILED,
	/* Why a task that could have been queued was released at once: */
	KWAITD_INLINE_OFFLOAD,		/* the parameter says so */
	KWAITD_INLINE_KERNEL,		/* kernel thread or worker */
	KWAITD_INLINE_UNLOAD,		/* the module is on its way out */
	KWAITD_INLINE_PARKED,		/* this CPU has no kwaitd now */
	KWAITD_INLINE_BACKLOG,		/* max_backlog are queued here */
	KWAITD_INLINE_EXEC,		/* execve() waits for this thread */
	KWAITD_INLINE_LEADER_DEAD,	/* the parent waits for the group */
	KWAITD_INLINE_GROUP_EXIT,	/* ... and is about to */
	KWAITD_INLINE_LAST_THREAD,	/* it leaves two threads alive, or fewer */
	KWAITD_INLINE_SECCOMP,		/* another filter than its leader's */
	KWAITD_INLINE_PID_NS,		/* its pid namespace comes to its end */
	KWAITD_INLINE_PIDFD,		/* someone holds a pidfd */
	KWAITD_INLINE_NPROC,		/* user close to RLIMIT_NPROC */
	KWAITD_INLINE_PIDS,		/* cgroup close to pids.max */
	KWAITD_INLINE_PID_MAX,		/* namespace close to pid_max */
	KWAITD_NR_COUNTERS,
};

#define KWAITD_NR_LATENCIES 40	/* log2 of nanoseconds; the last: 9 minutes and more */

struct kwaitd_stats {
	unsigned long count[KWAITD_NR_COUNTERS];
	unsigned long latency[KWAITD_NR_LATENCIES];
	unsigned long backlog_max;
};

/* Only ever changed on its own CPU, by single instructions: no lock. */
DECLARE_PER_CPU(struct kwaitd_stats, kwaitd_stats);

static inline void kwaitd_count(enum kwaitd_counter counter)
{
	this_cpu_inc(kwaitd_stats.count[counter]);
}

void kwaitd_count_latency(u64 ns);
unsigned long kwaitd_count_sum(enum kwaitd_counter counter);
const char *kwaitd_count_name(enum kwaitd_counter counter);
void kwaitd_count_reset(void);

#endif /* _KWAITD_COUNT_H */
