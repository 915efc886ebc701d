// SPDX-License-Identifier: GPL-2.0
/*
 * A line for each exit that the module has to do with, as it happens. events_print.c has
 * what is on the line.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <tracefs.h>

#include "events_print.h"
#include "kwaitctl.h"
#include "trace.h"
#include "util.h"

/* s, between two looks; short enough to be called live */
#define INTERVAL 0.1

/* How often both clocks are read */
#define TRIES 5

static const char usage[] =
"usage: kwaitctl events [OPTION]...\n"
"A line for each exit that kwaitd takes care of, as it happens.\n"
"\n"
"  -a, --all         also when tasks are created detached, and queued\n"
"  -j, --json        as JSON, an object a line\n"
"  -n, --count=N     stop after N events\n"
"  -h, --help\n";

/* Without --all only the first two are looked at: those are exits. */
static const char * const names[] = {
	"kwaitd_reap", "kwaitd_inline", "kwaitd_mark", "kwaitd_queue",
};

#define EXITS 2

struct options {
	bool all;
	bool json;
	unsigned int count;	/* 0: no end */
	unsigned int seen;
	double offset;		/* of the wall clock to that of the events */
};

/* Seconds from one time to another one */
static double seconds(const struct timespec *from, const struct timespec *to)
{
	return to->tv_sec - from->tv_sec + (to->tv_nsec - from->tv_nsec) / 1e9;
}

/*
 * How far the wall clock is ahead of the clock of the events.
 *
 * No call reads both clocks at once. If kwaitctl loses its CPU between two reads, the
 * second clock is read too late, and each time that is printed is off by the length of
 * the stall: by seconds, on a busy virtual machine. So the wall clock is read between two
 * reads of the other clock. Then the offset is off by half of the gap between these two
 * reads at most. A stall seldom hits all of a few tries, so the try with the smallest gap
 * is taken.
 */
static double wall_offset(void)
{
	double gap, smallest = INFINITY, offset = 0;
	struct timespec before, wall, after;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		clock_gettime(CLOCK_MONOTONIC, &before);
		clock_gettime(CLOCK_REALTIME, &wall);
		clock_gettime(CLOCK_MONOTONIC, &after);
		gap = seconds(&before, &after);
		if (gap < smallest) {
			smallest = gap;
			offset = seconds(&before, &wall) - gap / 2;
		}
	}
	return offset;
}

static int print_event(struct tep_event *event, struct tep_record *record,
		       void *context)
{
	struct options *o = context;
	double t = record->ts / 1e9 + o->offset;

	if (o->json)
		events_print_json(event, record, t);
	else
		events_print_line(event, record, t);
	o->seen++;
	return util_flushed() != OK || (o->count && o->seen == o->count);
}

static void tell_lost(struct trace *trace, __u64 *told)
{
	__u64 lost = trace_lost(trace);

	if (lost != *told)
		util_error("%llu events or more came too fast, and are lost",
			   lost - *told);
	*told = lost;
}

static int follow(struct trace *trace, struct options *o)
{
	__u64 told = 0;

	do {
		/* Anew, as the wall clock may have been set. */
		o->offset = wall_offset();
		if (trace_read(trace, print_event, o))
			return FAILED;
		tell_lost(trace, &told);
		if (ferror(stdout))
			return FAILED;
		if (o->count && o->seen >= o->count)
			return OK;
	} while (util_wait(INTERVAL));
	return OK;
}

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "json", no_argument, NULL, 'j' },
	{ "count", required_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_events(int argc, char **argv)
{
	struct options o = {};
	struct trace *trace;
	int c, status;

	while ((c = getopt_long(argc, argv, "ajn:h", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			o.all = true;
			break;
		case 'j':
			o.json = true;
			break;
		case 'n':
			if (!util_parse_count(optarg, &o.count))
				return USAGE;
			break;
		case 'h':
			return util_help(usage);
		default:
			return util_misused(usage);
		}
	}
	if (optind != argc)
		return util_misused(usage);
	util_catch_signals();
	trace = trace_open(names, o.all ? ARRAY_SIZE(names) : EXITS);
	if (!trace)
		return FAILED;
	status = follow(trace, &o);
	trace_close(trace);
	return status;
}
