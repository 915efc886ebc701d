// SPDX-License-Identifier: GPL-2.0
/*
 * A live screen.
 *
 * top_sample.c	what the module has counted, and how fast that grew
 * top_leaks.c	which programs leave orphans
 * top_print.c	what is on the screen
 * top_screen.c	the terminal: its lines and its keys
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "debugfs.h"
#include "kwaitctl.h"
#include "top_leaks.h"
#include "top_print.h"
#include "top_sample.h"
#include "top_screen.h"
#include "util.h"

#define INTERVAL 2		/* s */
#define FIRST 0.5		/* s, until there is something to see */
#define LOOK 0.1		/* s, between two looks at the events */

static const char usage[] =
"usage: kwaitctl top [OPTION]...\n"
"What kwaitd does, live; 'q' quits.\n"
"\n"
"  -b, --batch            no escape sequences, for scripts\n"
"  -d, --delay=SECONDS    between two screens (default 2)\n"
"  -n, --count=N          stop after N screens\n"
"  -h, --help\n";

struct options {
	bool batch;
	__u64 delay;		/* ns */
	unsigned int count;	/* 0: no end */
};

struct top {
	const struct options *o;
	struct screen screen;
	struct interval interval;
	struct leaks leaks;
};

/* Count events for so long. Return: false: quit, with an exit status */
static bool pass(struct top *t, double seconds, int *status)
{
	double end = util_now() + seconds, left;

	while ((left = end - util_now()) > 0) {
		if (screen_key_quits(left < LOOK ? left : LOOK) ||
		    util_stopped())
			return false;
		if (!leaks_read(&t->leaks)) {
			*status = FAILED;
			return false;
		}
	}
	return true;
}

static int top_loop(struct top *t)
{
	double delay = t->o->delay / 1e9, first = delay;
	int status = OK;
	unsigned int n = 0;

	if (!t->screen.batch && first > FIRST)
		first = FIRST;
	if (!interval_next(&t->interval))
		return FAILED;
	while (pass(t, n ? delay : first, &status)) {
		if (!interval_next(&t->interval))
			return FAILED;
		top_print(&t->screen, &t->interval, &t->leaks);
		status = util_flushed();
		if (status != OK || ++n == t->o->count)
			break;
	}
	return status;
}

static int top(const struct options *o)
{
	struct top *t;
	int status;

	/* The screen would hide what goes wrong, so try before there is one. */
	if (!debugfs_latency(&(struct latency){}))
		return FAILED;
	t = calloc(1, sizeof(*t));
	if (!t) {
		util_perror("memory");
		return FAILED;
	}
	util_catch_signals();
	t->o = o;
	t->screen.batch = o->batch;
	leaks_open(&t->leaks);
	screen_enter(&t->screen);
	status = top_loop(t);
	screen_leave(&t->screen);
	/* What was said on that screen is gone with the screen: say again why. */
	if (status == FAILED && !o->batch && !ferror(stdout))
		debugfs_latency(&(struct latency){});
	leaks_close(&t->leaks);
	interval_free(&t->interval);
	free(t);
	return status;
}

static const struct option options[] = {
	{ "batch", no_argument, NULL, 'b' },
	{ "delay", required_argument, NULL, 'd' },
	{ "count", required_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static bool parse_delay(const char *arg, __u64 *delay)
{
	if (!util_parse_seconds(arg, delay))
		return false;
	if (*delay >= NSEC_PER_SEC / 10)
		return true;
	util_error("a delay is 0.1 seconds or more");
	return false;
}

int cmd_top(int argc, char **argv)
{
	struct options o = { .delay = INTERVAL * NSEC_PER_SEC };
	int c;

	while ((c = getopt_long(argc, argv, "bd:n:h", options, NULL)) != -1) {
		switch (c) {
		case 'b':
			o.batch = true;
			break;
		case 'd':
			if (!parse_delay(optarg, &o.delay))
				return USAGE;
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
	if (!isatty(STDOUT_FILENO))
		o.batch = true;
	return top(&o);
}
