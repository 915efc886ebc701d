// SPDX-License-Identifier: GPL-2.0
/*
 * What the module has counted, and how fast that grew. The module counts from when it was
 * loaded; a rate takes two samples.
 */
#include <stdlib.h>
#include <unistd.h>

#include "device.h"
#include "top_sample.h"
#include "util.h"

static bool take(struct sample *s)
{
	int fd = device_open(), err;

	if (fd < 0)
		return false;
	err = device_list(fd, &s->reapers, &s->nr_reapers);
	close(fd);
	/* A module that cannot list its reapers cannot adopt any either. */
	if (err)
		s->nr_reapers = 0;
	s->time = util_now();
	return debugfs_stats(&s->stats) && debugfs_latency(&s->latency);
}

/**
 * interval_next() - begin an interval where the last one ended, and take a sample
 * @i: zeroed before the first time, after which only @i->now is a sample
 *
 * Return: false if that failed, and the reason is on stderr
 */
bool interval_next(struct interval *i)
{
	free(i->then.reapers);
	i->then = i->now;
	i->now.reapers = NULL;
	return take(&i->now);
}

void interval_free(struct interval *i)
{
	free(i->then.reapers);
	free(i->now.reapers);
}

double interval_seconds(const struct interval *i)
{
	return i->now.time - i->then.time;
}

/* How much a counter grew, a second; 0 if the counter has begun anew */
double interval_rate(const struct interval *i, __u64 now, __u64 then)
{
	return now < then ? 0 : (now - then) / interval_seconds(i);
}

/* How much all counters grew, a second, whose names begin so */
double interval_rate_of(const struct interval *i, const char *prefix)
{
	return interval_rate(i, stats_sum(&i->now.stats, prefix),
			     stats_sum(&i->then.stats, prefix));
}

/*
 * A reaper as it was at the beginning of the interval. A reaper that was not adopted then
 * had counted nothing, so all its counters are 0.
 */
struct kwaitd_reaper interval_reaper_then(const struct interval *i, pid_t pid)
{
	const struct kwaitd_reaper none = {};
	unsigned int n;

	for (n = 0; n < i->then.nr_reapers; n++) {
		if (i->then.reapers[n].pid == pid)
			return i->then.reapers[n];
	}
	return none;
}

static int compare(const void *l, const void *r, void *context)
{
	const struct kwaitd_reaper *a = l, *b = r;
	const struct interval *i = context;
	__u64 na = a->orphans - interval_reaper_then(i, a->pid).orphans;
	__u64 nb = b->orphans - interval_reaper_then(i, b->pid).orphans;

	return (na < nb) - (na > nb);
}

/* Reapers that were given most orphans in the interval come first. */
void interval_sort_reapers(struct interval *i)
{
	qsort_r(i->now.reapers, i->now.nr_reapers, sizeof(*i->now.reapers),
		compare, i);
}
