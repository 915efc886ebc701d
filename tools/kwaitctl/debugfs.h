/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files in /sys/kernel/debug/kwaitd/. A function that cannot read its file has said
 * why on stderr.
 */
#ifndef _KWAITCTL_DEBUGFS_H
#define _KWAITCTL_DEBUGFS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct stat_value {
	char name[32];
	__u64 value;
};

struct stats {
	struct stat_value values[64];
	unsigned int nr;
	int cpu;	/* -1: all */
};

#define LATENCIES 64

/* How many took from 2^i ns to less than 2^(i+1) */
struct latency {
	__u64 count[LATENCIES];
};

FILE *debugfs_open(const char *name);
bool debugfs_stats(struct stats *stats);
struct stats *debugfs_per_cpu(unsigned int *nr);
bool debugfs_latency(struct latency *latency);
bool stats_has(const struct stats *stats, const char *name);
__u64 stats_get(const struct stats *stats, const char *name);
__u64 stats_sum(const struct stats *stats, const char *prefix);
bool stats_is_gauge(const char *name);
void latency_since(struct latency *now, const struct latency *then);
__u64 latency_total(const struct latency *latency);
__u64 latency_quantile(const struct latency *latency, double q);
int latency_max_bucket(const struct latency *latency);
const char *latency_text(char *buf, size_t size, __u64 ns);

#endif /* _KWAITCTL_DEBUGFS_H */
