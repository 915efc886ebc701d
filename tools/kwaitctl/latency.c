// SPDX-License-Identifier: GPL-2.0
/* The histogram, drawn. */
#include <getopt.h>
#include <json.h>
#include <stdio.h>

#include "debugfs.h"
#include "kwaitctl.h"
#include "util.h"

static const char usage[] =
"usage: kwaitctl latency [--json]\n"
"For how long the dead were queued before they were released.\n"
"\n"
"  -j, --json\n"
"  -h, --help\n";

/* Columns before the bar */
#define MARGIN 29

static int min_bucket(const struct latency *l)
{
	int i = 0;

	while (!l->count[i])
		i++;
	return i;
}

static __u64 most(const struct latency *l)
{
	__u64 max = 0;
	unsigned int i;

	for (i = 0; i < LATENCIES; i++) {
		if (l->count[i] > max)
			max = l->count[i];
	}
	return max;
}

static void print_bar(const struct latency *l, int i, __u64 max, int width)
{
	char from[16], to[16];
	int n = (double)l->count[i] / max * width + 0.5;

	/* A single one is to be seen, too. */
	if (!n && l->count[i])
		n = 1;
	latency_text(from, sizeof(from), 1ULL << i);
	latency_text(to, sizeof(to), 2ULL << i);
	printf("%6s - %6s %11llu |", from, to, l->count[i]);
	while (n--)
		putchar('#');
	putchar('\n');
}

static void print_summary(const struct latency *l)
{
	char p50[16], p99[16], from[16], to[16];
	int max = latency_max_bucket(l);

	printf("\n%llu released: p50 < %s, p99 < %s, max %s to %s\n",
	       latency_total(l),
	       latency_text(p50, sizeof(p50), latency_quantile(l, 0.5)),
	       latency_text(p99, sizeof(p99), latency_quantile(l, 0.99)),
	       latency_text(from, sizeof(from), 1ULL << max),
	       latency_text(to, sizeof(to), 2ULL << max));
}

static void print_text(const struct latency *l)
{
	int i, last = latency_max_bucket(l), width = util_columns() - MARGIN;

	if (last < 0) {
		puts("nothing has been released yet");
		return;
	}
	if (width < 10)
		width = 10;
	for (i = min_bucket(l); i <= last; i++)
		print_bar(l, i, most(l), width);
	print_summary(l);
}

static struct json_object *buckets_json(const struct latency *l)
{
	struct json_object *array = json_object_new_array(), *o;
	int i, last = latency_max_bucket(l);

	for (i = 0; i <= last; i++) {
		if (!l->count[i])
			continue;
		o = json_object_new_object();
		json_object_object_add(o, "ns_from",
				       json_object_new_int64(1LL << i));
		json_object_object_add(o, "ns_to",
				       json_object_new_int64(2LL << i));
		json_object_object_add(o, "count",
				       json_object_new_uint64(l->count[i]));
		json_object_array_add(array, o);
	}
	return array;
}

static int print_json(const struct latency *l)
{
	struct json_object *o = json_object_new_object();
	int max = latency_max_bucket(l);

	json_object_object_add(o, "count",
			       json_object_new_uint64(latency_total(l)));
	json_object_object_add(o, "p50_ns_below",
			       json_object_new_uint64(latency_quantile(l, 0.5)));
	json_object_object_add(o, "p99_ns_below",
			       json_object_new_uint64(latency_quantile(l, 0.99)));
	json_object_object_add(o, "max_ns_below",
			       json_object_new_int64(max < 0 ? 0 : 2LL << max));
	json_object_object_add(o, "buckets", buckets_json(l));
	return util_json_end(o, true);
}

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_latency(int argc, char **argv)
{
	struct latency latency;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'h':
			return util_help(usage);
		default:
			return util_misused(usage);
		}
	}
	if (optind != argc)
		return util_misused(usage);
	if (!debugfs_latency(&latency))
		return FAILED;
	if (json)
		return print_json(&latency);
	print_text(&latency);
	return util_flushed();
}
