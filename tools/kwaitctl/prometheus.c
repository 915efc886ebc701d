// SPDX-License-Identifier: GPL-2.0
/*
 * The counters in Prometheus' text format, for node_exporter's textfile collector
 * and the like.
 */
#include <stdio.h>
#include <string.h>

#include "debugfs.h"
#include "kwaitctl.h"
#include "prometheus.h"
#include "util.h"

/*
 * Which counters are one metric: that of this name, or where there is a label all
 * whose names begin so.
 */
static const struct family {
	const char *name;
	const char *label;
	const char *help;
} families[] = {
	{ "marked_", "kind", "Threads and processes created detached." },
	{ "mark_failed", NULL, "Processes that there was no memory for to mark them." },
	{ "queued_", "kind", "Dead tasks left to kwaitd." },
	{ "reaped", NULL, "Dead tasks released by kwaitd." },
	{ "wakeups", NULL, "Times that a kwaitd was woken." },
	{ "stolen", NULL, "Dead tasks released by another CPU." },
	{ "collected", NULL, "Dead tasks released by somebody who would have waited for them." },
	{ "orphans", NULL, "Orphans of adopted reapers that died and were released." },
	{ "swept", NULL, "Orphans of adopted reapers released after they had been zombies." },
	{ "adopt_paused", NULL, "Children of reapers that there was no memory to note." },
	{ "adopt_failed", NULL, "Reapers that there was no memory to adopt at their birth." },
	{ "inline_", "reason", "Dead tasks that were released at once, by why." },
	{ "live_marks", NULL, "Detached processes alive, where the module keeps the marks." },
	{ "exit_records", NULL, "Dead processes whose exit status can be asked for." },
	{ "adopted", NULL, "Adopted reapers." },
	{ "own_children", NULL, "Children of adopted reapers that are their own." },
	{ "grace", NULL, "Dead orphans that their reapers may still wait for." },
	{ "backlog", NULL, "Dead tasks queued and not released." },
	{ "backlog_max", NULL, "Most that have ever been queued on a CPU." },
};

static bool is_in(const struct family *f, const char *name)
{
	return f->label ? !strncmp(name, f->name, strlen(f->name)) :
			  !strcmp(name, f->name);
}

static void print_head(const char *metric, const char *type, const char *help)
{
	printf("# HELP kwaitd_%s %s\n", metric, help);
	printf("# TYPE kwaitd_%s %s\n", metric, type);
}

static void print_family(const struct family *f, const struct stats *stats)
{
	bool gauge = stats_is_gauge(f->name), head = false;
	const struct stat_value *v;
	char metric[64];

	/* A prefix ends with the underscore that _total begins with. */
	snprintf(metric, sizeof(metric), "%.*s%s",
		 (int)strlen(f->name) - !!f->label, f->name,
		 gauge ? "" : "_total");
	for (v = stats->values; v < stats->values + stats->nr; v++) {
		if (!is_in(f, v->name))
			continue;
		if (!head)
			print_head(metric, gauge ? "gauge" : "counter",
				   f->help);
		head = true;
		printf("kwaitd_%s", metric);
		if (f->label)
			printf("{%s=\"%s\"}", f->label,
			       v->name + strlen(f->name));
		printf(" %llu\n", v->value);
	}
}

/* What a newer module counts, or an older one did; but for the histogram's sum */
static void print_others(const struct stats *stats)
{
	struct family other = { .help = "See 'stats' in kwaitd(4)." };
	const struct stat_value *v;
	unsigned int i;

	for (v = stats->values; v < stats->values + stats->nr; v++) {
		for (i = 0; i < ARRAY_SIZE(families); i++) {
			if (is_in(&families[i], v->name))
				break;
		}
		other.name = v->name;
		if (i == ARRAY_SIZE(families) && strcmp(v->name, "reaped_ns"))
			print_family(&other, stats);
	}
}

/* From a microsecond to a minute: always the same, or they could not be compared. */
static void print_latency(const struct latency *l, const struct stats *stats)
{
	__u64 sum = 0;
	unsigned int i;

	print_head("latency_seconds", "histogram",
		   "From when a task was queued until it was released.");
	for (i = 0; i < LATENCIES; i++) {
		sum += l->count[i];
		if (i >= 9 && i < 36)
			printf("kwaitd_latency_seconds_bucket{le=\"%.9f\"} %llu\n",
			       (2ULL << i) / 1e9, sum);
	}
	printf("kwaitd_latency_seconds_bucket{le=\"+Inf\"} %llu\n", sum);
	if (stats_has(stats, "reaped_ns"))
		printf("kwaitd_latency_seconds_sum %.9f\n",
		       stats_get(stats, "reaped_ns") / 1e9);
	printf("kwaitd_latency_seconds_count %llu\n", sum);
}

/* Return: exit status */
int prometheus_print(void)
{
	struct latency latency;
	struct stats stats;
	unsigned int i;

	if (!debugfs_stats(&stats) || !debugfs_latency(&latency))
		return FAILED;
	for (i = 0; i < ARRAY_SIZE(families); i++)
		print_family(&families[i], &stats);
	print_others(&stats);
	print_latency(&latency, &stats);
	return util_flushed();
}
