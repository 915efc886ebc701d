// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/kwaitd/, for people and monitoring to read:
 *
 *   stats	"name value" a line. First the counters of count.h, totals since the
 *		module was loaded; then what there is at this moment: live_marks
 *		(detached processes alive; 0 where the kernel keeps the marks),
 *		exit_records (dead ones whose exit status can be asked for),
 *		adopted (reapers), own_children (of those), grace (orphans that
 *		their reaper may still wait for) and backlog (queued tasks)
 *   per_cpu	the counters, backlog and backlog_max of each CPU: a row a CPU
 *   latency	nanoseconds from queue to release: bucket's lower bound, count
 *   hooks	the functions that are hooked, and how often each hook fired
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "adopt.h"
#include "count.h"
#include "family.h"
#include "grace.h"
#include "hooks.h"
#include "kwaitd.h"
#include "mark.h"
#include "queue.h"

static struct dentry *dir;

/* Others' CPUs count while it is read: some value that the counter had meanwhile. */
#define read_of(field, cpu) READ_ONCE(per_cpu(kwaitd_stats.field, cpu))

static int stats_show(struct seq_file *m, void *v)
{
	unsigned long backlog = 0, backlog_max = 0;
	unsigned int i;
	int cpu;

	for (i = 0; i < KWAITD_NR_COUNTERS; i++)
		seq_printf(m, "%s %lu\n", kwaitd_count_name(i), kwaitd_count_sum(i));
	for_each_possible_cpu(cpu) {
		backlog += kwaitd_queue_backlog(cpu);
		backlog_max = max(backlog_max, read_of(backlog_max, cpu));
	}
	seq_printf(m, "live_marks %ld\n", atomic_long_read(&kwaitd_mark_live));
	seq_printf(m, "exit_records %ld\n", atomic_long_read(&kwaitd_mark_records));
	seq_printf(m, "adopted %lu\n", READ_ONCE(kwaitd_adopt_nr));
	seq_printf(m, "own_children %lu\n", kwaitd_family_count());
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
		seq_printf(m, " %s", kwaitd_count_name(i));
	seq_puts(m, " backlog backlog_max\n");
	for_each_possible_cpu(cpu) {
		seq_printf(m, "%3d", cpu);
		for (i = 0; i < KWAITD_NR_COUNTERS; i++)
			seq_printf(m, " %*lu", (int)strlen(kwaitd_count_name(i)),
				   read_of(count[i], cpu));
		seq_printf(m, " %7u %11lu\n", kwaitd_queue_backlog(cpu),
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

/**
 * kwaitd_debugfs_init() - create the directory and its files
 *
 * Context: process context; may sleep.
 */
void kwaitd_debugfs_init(void)
{
	dir = debugfs_create_dir("kwaitd", NULL);
	debugfs_create_file("stats", 0444, dir, NULL, &stats_fops);
	debugfs_create_file("per_cpu", 0444, dir, NULL, &per_cpu_fops);
	debugfs_create_file("latency", 0444, dir, NULL, &latency_fops);
	debugfs_create_file("hooks", 0444, dir, NULL, &hooks_fops);
}

/**
 * kwaitd_debugfs_exit() - remove the directory, and wait for readers
 *
 * Context: process context; sleeps.
 */
void kwaitd_debugfs_exit(void)
{
	debugfs_remove_recursive(dir);
}
