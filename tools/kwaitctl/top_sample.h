/* SPDX-License-Identifier: GPL-2.0 */
/* What the module has counted, and how fast that grew. */
#ifndef _KWAITCTL_TOP_SAMPLE_H
#define _KWAITCTL_TOP_SAMPLE_H

#include <linux/kwaitd.h>
#include <stdbool.h>
#include <sys/types.h>

#include "debugfs.h"

/* All that was counted at one time */
struct sample {
	double time;		/* of util_now() */
	struct stats stats;
	struct latency latency;
	struct kwaitd_reaper *reapers;
	unsigned int nr_reapers;
};

/* Two samples in a row */
struct interval {
	struct sample now;
	struct sample then;
};

bool interval_next(struct interval *i);
void interval_free(struct interval *i);
double interval_seconds(const struct interval *i);
double interval_rate(const struct interval *i, __u64 now, __u64 then);
double interval_rate_of(const struct interval *i, const char *prefix);
struct kwaitd_reaper interval_reaper_then(const struct interval *i, pid_t pid);
void interval_sort_reapers(struct interval *i);

#endif /* _KWAITCTL_TOP_SAMPLE_H */
