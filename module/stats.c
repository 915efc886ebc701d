// SPDX-License-Identifier: GPL-2.0
/*
 * Counters, and /sys/kernel/debug/kwaitd/ to read them:
 *
 *   stats	"name value" a line: totals since load, and of now live_marks
 *		(detached processes alive; 0 where the kernel keeps the marks),
 *		exit_records (dead ones whose exit status can be asked for),
 *		adopted (reapers), own_children (of those), grace (orphans that
 *		may still be waited for) and backlog (queued and not released)
 *   per_cpu	the same by CPU: a row is what happened on that CPU
 *   latency	nanoseconds from queue to release: bucket's lower bound, count
 *   hooks	where they are, and how often each fired: see hooks.c
 */
#include <linux/debugfs.h>
#include <linux/log2.h>
#include <linux/seq_file.h>

#include "adopt.h"
#include "kwaitd.h"

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
	[KWAITD_INLINE_PIDFD]		= "inline_pidfd",
	[KWAITD_INLINE_NPROC]		= "inline_nproc",
	[KWAITD_INLINE_PIDS]		= "inline_pids",
	[KWAITD_INLINE_PID_MAX]		= "inline_pid_max",
};

static_assert(ARRAY_SIZE(names) == KWAITD_NR_COUNTERS);

static struct dentry *dir;

/* What others' CPUs count while it is read: some value that it had meanwhile. */
#define read_of(field, cpu) READ_ONCE(per_cpu(kwaitd_stats.field, cpu))

const char *kwaitd_stats_name(enum kwaitd_counter counter)
{
	return names[counter];
}

/**
 * kwaitd_stats_latency() - count a release in the histogram, and its time
 * @ns: how long the task was queued
 *
 * Context: any.
 */
void kwaitd_stats_latency(u64 ns)
{
	unsigned int log2 = ns ? ilog2(ns) : 0;

	this_cpu_add(kwaitd_stats.count[KWAITD_REAPED_NS], ns);
	this_cpu_inc(kwaitd_stats.latency[min(log2, KWAITD_NR_LATENCIES - 1U)]);
}

/**
 * kwaitd_stats_sum() - a counter's total over all CPUs
 * @counter: which
 *
 * Context: any.
 */
unsigned long kwaitd_stats_sum(enum kwaitd_counter counter)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += read_of(count[counter], cpu);
	return sum;
}

static int stats_show(struct seq_file *m, void *v)
{
	unsigned long backlog = 0, backlog_max = 0;
	unsigned int i;
	int cpu;

	for (i = 0; i < KWAITD_NR_COUNTERS; i++)
		seq_printf(m, "%s %lu\n", names[i], kwaitd_stats_sum(i));
	for_each_possible_cpu(cpu) {
		backlog += kwaitd_reaper_backlog(cpu);
		backlog_max = max(backlog_max, read_of(backlog_max, cpu));
	}
	seq_printf(m, "live_marks %ld\n", atomic_long_read(&kwaitd_mark_live));
	seq_printf(m, "exit_records %ld\n", atomic_long_read(&kwaitd_mark_records));
	seq_printf(m, "adopted %lu\n", READ_ONCE(kwaitd_adopt_nr));
	seq_printf(m, "own_children %lu\n", kwaitd_adopt_own());
	seq_printf(m, "grace %lu\n", kwaitd_grace_count());
	seq_printf(m, "backlog %lu\n", backlog);
	seq_printf(m, "backlog_max %lu\n", backlog_max);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int per_cpu_show(struct seq_file *m, void *v)
{
	unsigned int i;
	int cpu;

	seq_puts(m, "cpu");
	for (i = 0; i < KWAITD_NR_COUNTERS; i++)
		seq_printf(m, " %s", names[i]);
	seq_puts(m, " backlog backlog_max\n");
	for_each_possible_cpu(cpu) {
		seq_printf(m, "%3d", cpu);
		for (i = 0; i < KWAITD_NR_COUNTERS; i++)
			seq_printf(m, " %*lu", (int)strlen(names[i]),
				   read_of(count[i], cpu));
		seq_printf(m, " %7lu %11lu\n", kwaitd_reaper_backlog(cpu),
			   read_of(backlog_max, cpu));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(per_cpu);

static int latency_show(struct seq_file *m, void *v)
{
	unsigned long sum;
	unsigned int i;
	int cpu;

	seq_puts(m, "ns_from count\n");
	for (i = 0; i < KWAITD_NR_LATENCIES; i++) {
		sum = 0;
		for_each_possible_cpu(cpu)
			sum += read_of(latency[i], cpu);
		if (sum)
			seq_printf(m, "%llu %lu\n", 1ULL << i, sum);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

static int hooks_show(struct seq_file *m, void *v)
{
	kwaitd_hooks_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(hooks);

void kwaitd_stats_init(void)
{
	int cpu;

	/* The self-test does not count. */
	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&kwaitd_stats, cpu), 0, sizeof(kwaitd_stats));
	dir = debugfs_create_dir("kwaitd", NULL);
	debugfs_create_file("stats", 0444, dir, NULL, &stats_fops);
	debugfs_create_file("per_cpu", 0444, dir, NULL, &per_cpu_fops);
	debugfs_create_file("latency", 0444, dir, NULL, &latency_fops);
	debugfs_create_file("hooks", 0444, dir, NULL, &hooks_fops);
}

void kwaitd_stats_exit(void)
{
	debugfs_remove_recursive(dir);
}
