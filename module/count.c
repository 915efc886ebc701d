// SPDX-License-Identifier: GPL-2.0
/*
 * Counters. Each CPU has its own, and changes them by single instructions, so that there
 * is no lock and an event may be counted in any context.
 */
#include <linux/log2.h>
#include <linux/string.h>

#include "count.h"

DEFINE_PER_CPU(struct kwaitd_stats, kwaitd_stats);

static const char * const names[] = {
	[KWAITD_MARKED_THREADS]		= "marked_threads",
	[KWAITD_MARKED_PROCESSES]	= "marked_processes",
	[KWAITD_MARK_FAILED]		= "mark_failed",
	[KWAITD_QUEUED_THREADS]		= "queued_threads",
	[KWAITD_QUEUED_PROCESSES]	= "queued_processes",
	[KWAITD_QUEUED_ORPHANS]		= "queued_orphans",
	[KWAITD_REAPED]			= "reaped",
	[KWAITD_REAPED_NS]		= "reaped_ns",
	[KWAITD_WAKEUPS]		= "wakeups",
	[KWAITD_STOLEN]			= "stolen",
	[KWAITD_COLLECTED]		= "collected",
	[KWAITD_ORPHANS]		= "orphans",
	[KWAITD_SWEPT]			= "swept",
	[KWAITD_ADOPT_PAUSED]		= "adopt_paused",
	[KWAITD_ADOPT_FAILED]		= "adopt_failed",
	[KWAITD_INLINE_OFFLOAD]		= "inline_offload",
	[KWAITD_INLINE_KERNEL]		= "inline_kernel",
	[KWAITD_INLINE_UNLOAD]		= "inline_unload",
	[KWAITD_INLINE_PARKED]		= "inline_parked",
	[KWAITD_INLINE_BACKLOG]		= "inline_backlog",
	[KWAITD_INLINE_EXEC]		= "inline_exec",
	[KWAITD_INLINE_LEADER_DEAD]	= "inline_leader_dead",
	[KWAITD_INLINE_GROUP_EXIT]	= "inline_group_exit",
	[KWAITD_INLINE_LAST_THREAD]	= "inline_last_thread",
	[KWAITD_INLINE_SECCOMP]		= "inline_seccomp",
	[KWAITD_INLINE_PID_NS]		= "inline_pid_ns",
	[KWAITD_INLINE_PIDFD]		= "inline_pidfd",
	[KWAITD_INLINE_NPROC]		= "inline_nproc",
	[KWAITD_INLINE_PIDS]		= "inline_pids",
	[KWAITD_INLINE_PID_MAX]		= "inline_pid_max",
};

static_assert(ARRAY_SIZE(names) == KWAITD_NR_COUNTERS);

/**
 * kwaitd_count_name() - what a counter is called in debugfs and tracepoints
 * @counter: which
 *
 * Context: any.
 */
const char *kwaitd_count_name(enum kwaitd_counter counter)
{
	return names[counter];
}

/**
 * kwaitd_count_latency() - count a release in the histogram, and its time
 * @ns: how long the task was queued
 *
 * Context: any.
 */
void kwaitd_count_latency(u64 ns)
{
	unsigned int log2 = ns ? ilog2(ns) : 0;

	this_cpu_add(kwaitd_stats.count[KWAITD_REAPED_NS], ns);
	this_cpu_inc(kwaitd_stats.latency[min(log2, KWAITD_NR_LATENCIES - 1U)]);
}

/**
 * kwaitd_count_sum() - a counter's total over all CPUs
 * @counter: which
 *
 * Context: any.
 */
unsigned long kwaitd_count_sum(enum kwaitd_counter counter)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(kwaitd_stats.count[counter], cpu));
	return sum;
}

/**
 * kwaitd_count_reset() - begin to count at 0
 *
 * Context: module init, after the self-test, which does not count.
 */
void kwaitd_count_reset(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&kwaitd_stats, cpu), 0, sizeof(kwaitd_stats));
}
