// SPDX-License-Identifier: GPL-2.0
/* The counters as vmstat shows its: since load, then what an interval added. */
#include <getopt.h>
#include <json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "debugfs.h"
#include "kwaitctl.h"
#include "prometheus.h"
#include "util.h"

#define WIDTH 8
#define HEADER_EVERY 20		/* lines */

static const char usage[] =
"usage: kwaitctl stat [OPTION]... [INTERVAL [COUNT]]\n"
"Totals since the module was loaded; with an INTERVAL (seconds) also the rates a\n"
"second of each one, until there are COUNT lines or for ever. Backlog is what it\n"
"is at that moment.\n"
"\n"
"  -c, --per-cpu      a line for each CPU\n"
"  -j, --json         all counters, an object a line\n"
"  -p, --prometheus   all counters, once, in Prometheus' text format\n"
"  -h, --help\n";

static const struct column {
	const char *group;	/* NULL: as the one before */
	const char *title;
	const char *name;
	bool prefix;		/* all whose names begin so */
} columns[] = {
	{ "marked", "threads", "marked_threads", false },
	{ NULL, "procs", "marked_processes", false },
	{ "queued", "threads", "queued_threads", false },
	{ NULL, "procs", "queued_processes", false },
	{ NULL, "orphans", "queued_orphans", false },
	{ "released", "reaped", "reaped", false },
	{ NULL, "stolen", "stolen", false },
	{ NULL, "collected", "collected", false },
	{ NULL, "swept", "swept", false },
	{ NULL, "inline", "inline_", true },
	{ "kwaitd", "wakeups", "wakeups", false },
	{ NULL, "backlog", "backlog", false },
};

struct options {
	bool per_cpu;
	bool json;
	__u64 interval;	/* ns; 0: once */
	unsigned int count;	/* 0: no end */
};

/* All CPUs together, or each */
struct sample {
	struct stats *stats;
	unsigned int nr;
	double time;
};

static bool take(struct sample *s, bool per_cpu)
{
	s->time = util_now();
	s->nr = 1;
	if (per_cpu) {
		s->stats = debugfs_per_cpu(&s->nr);
		return s->stats;
	}
	s->stats = malloc(sizeof(*s->stats));
	if (s->stats && debugfs_stats(s->stats))
		return true;
	free(s->stats);
	s->stats = NULL;
	return false;
}

static __u64 column_value(const struct column *c, const struct stats *s)
{
	return c->prefix ? stats_sum(s, c->name) : stats_get(s, c->name);
}

/* A smaller value than before is one of a module that was loaded anew. */
static double rate(__u64 now, __u64 then, double seconds)
{
	return (now < then ? now : now - then) / seconds;
}

static void print_dashes(int n)
{
	while (n-- > 0)
		putchar('-');
}

static unsigned int group_size(unsigned int first)
{
	unsigned int i = first + 1;

	while (i < ARRAY_SIZE(columns) && !columns[i].group)
		i++;
	return i - first;
}

static void print_header(bool per_cpu)
{
	int width, len;
	unsigned int i;

	if (per_cpu)
		printf("   ");
	for (i = 0; i < ARRAY_SIZE(columns); i += group_size(i)) {
		width = group_size(i) * (WIDTH + 1) - 1;
		len = strlen(columns[i].group);
		if (i || per_cpu)
			putchar(' ');
		print_dashes((width - len) / 2);
		fputs(columns[i].group, stdout);
		print_dashes(width - len - (width - len) / 2);
	}
	printf(per_cpu ? "\ncpu" : "\n");
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		printf("%*s", WIDTH + (i || per_cpu), columns[i].title);
	putchar('\n');
}

static void print_row(const struct stats *now, const struct stats *then,
		      double seconds)
{
	const struct column *c;
	__u64 val;

	if (now->cpu >= 0)
		printf("%3d", now->cpu);
	for (c = columns; c < columns + ARRAY_SIZE(columns); c++) {
		val = column_value(c, now);
		if (then && !stats_is_gauge(c->name))
			val = rate(val, column_value(c, then), seconds) + 0.5;
		printf("%*llu", WIDTH + (c > columns || now->cpu >= 0), val);
	}
	putchar('\n');
}

static void add_stats(struct json_object *o, const struct stats *now,
		      const struct stats *then, double seconds)
{
	struct json_object *totals, *rates;
	const struct stat_value *v;

	totals = json_object_new_object();
	rates = json_object_new_object();
	for (v = now->values; v < now->values + now->nr; v++) {
		json_object_object_add(totals, v->name,
				       json_object_new_uint64(v->value));
		if (!then || stats_is_gauge(v->name))
			continue;
		json_object_object_add(rates, v->name, json_object_new_double
				       (rate(v->value, stats_get(then, v->name),
					     seconds)));
	}
	if (now->cpu >= 0)
		json_object_object_add(o, "cpu", json_object_new_int(now->cpu));
	json_object_object_add(o, "total", totals);
	json_object_object_add(o, "rate", then ? rates : NULL);
	if (!then)
		json_object_put(rates);
}

static const struct stats *at(const struct sample *s, unsigned int i)
{
	return i < s->nr ? &s->stats[i] : NULL;
}

static void print_json(const struct sample *now, const struct sample *then)
{
	struct json_object *o = json_object_new_object(), *cpus, *cpu;
	double seconds = now->time - then->time;
	unsigned int i;

	json_object_object_add(o, "time", json_object_new_int64(time(NULL)));
	json_object_object_add(o, "interval", then->nr ?
			       json_object_new_double(seconds) : NULL);
	if (now->stats->cpu < 0) {
		add_stats(o, now->stats, at(then, 0), seconds);
		util_json_end(o, false);
		return;
	}
	cpus = json_object_new_array();
	for (i = 0; i < now->nr; i++) {
		cpu = json_object_new_object();
		add_stats(cpu, &now->stats[i], at(then, i), seconds);
		json_object_array_add(cpus, cpu);
	}
	json_object_object_add(o, "cpus", cpus);
	util_json_end(o, false);
}

static void print_text(const struct sample *now, const struct sample *then)
{
	static unsigned int lines;
	unsigned int i;

	for (i = 0; i < now->nr; i++) {
		if (!lines)
			print_header(now->stats->cpu >= 0);
		lines = (lines + 1) % HEADER_EVERY;
		print_row(&now->stats[i], at(then, i), now->time - then->time);
	}
}

static int stat_loop(const struct options *o)
{
	struct sample now = {}, then = {};
	unsigned int n = 0;
	int status;

	do {
		free(then.stats);
		then = now;
		if (!take(&now, o->per_cpu)) {
			free(then.stats);
			return FAILED;
		}
		if (o->json)
			print_json(&now, &then);
		else
			print_text(&now, &then);
		status = util_flushed();
	} while (status == OK && o->interval && ++n != o->count &&
		 util_wait(o->interval / 1e9));
	free(then.stats);
	free(now.stats);
	return status;
}

static bool parse_interval(struct options *o, int argc, char **argv)
{
	if (argc > 2)
		return false;
	if (argc > 0 && !util_parse_seconds(argv[0], &o->interval))
		return false;
	if (argc > 0 && o->interval < NSEC_PER_SEC / 100) {
		util_error("an interval is 0.01 seconds or more");
		return false;
	}
	return argc < 2 || util_parse_count(argv[1], &o->count);
}

static const struct option options[] = {
	{ "per-cpu", no_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "prometheus", no_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_stat(int argc, char **argv)
{
	struct options o = {};
	bool prometheus = false;
	int c;

	while ((c = getopt_long(argc, argv, "cjph", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			o.per_cpu = true;
			break;
		case 'j':
			o.json = true;
			break;
		case 'p':
			prometheus = true;
			break;
		case 'h':
			return util_help(usage);
		default:
			return util_misused(usage);
		}
	}
	if (!parse_interval(&o, argc - optind, argv + optind))
		return util_misused(usage);
	if (prometheus && (o.per_cpu || o.json || o.interval)) {
		util_error("--prometheus goes with nothing else");
		return USAGE;
	}
	if (prometheus)
		return prometheus_print();
	util_catch_signals();
	return stat_loop(&o);
}
