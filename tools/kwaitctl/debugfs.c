// SPDX-License-Identifier: GPL-2.0
/*
 * The files in /sys/kernel/debug/kwaitd/. They are no ABI: what is looked for is
 * looked up by its name, and counts as 0 where it is missing.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "debugfs.h"
#include "device.h"
#include "util.h"

#define DEBUGFS "/sys/kernel/debug"

static void explain(const char *path)
{
	int err = errno;
	struct statfs fs;

	if (err == EACCES)
		util_error("%s: only root may read it", path);
	else if (!device_module_loaded())
		device_explain_absence();
	else if (err == ENOENT && !statfs(DEBUGFS, &fs) &&
		 fs.f_type != DEBUGFS_MAGIC)
		util_error("debugfs is not mounted: 'mount -t debugfs none " DEBUGFS "' does that");
	else
		util_error("%s: %s", path, strerror(err));
}

FILE *debugfs_open(const char *name)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), DEBUGFS "/kwaitd/%s", name);
	f = fopen(path, "re");
	if (!f)
		explain(path);
	return f;
}

static void stats_add(struct stats *stats, const char *name, __u64 value)
{
	struct stat_value *v;

	if (stats->nr == ARRAY_SIZE(stats->values))
		return;
	v = &stats->values[stats->nr++];
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->value = value;
}

bool debugfs_stats(struct stats *stats)
{
	FILE *f = debugfs_open("stats");
	__u64 value;
	char name[32];

	stats->nr = 0;
	stats->cpu = -1;
	if (!f)
		return false;
	while (fscanf(f, "%31s %llu", name, &value) == 2)
		stats_add(stats, name, value);
	fclose(f);
	return true;
}

/* A row of the table: the CPU and its values, in the order of the names */
static void read_row(char *row, const struct stats *names, struct stats *stats)
{
	char *save, *tok = strtok_r(row, "\n ", &save);
	unsigned int i;

	stats->nr = 0;
	stats->cpu = tok ? atoi(tok) : -1;
	for (i = 0; i < names->nr; i++) {
		tok = strtok_r(NULL, "\n ", &save);
		if (tok)
			stats_add(stats, names->values[i].name,
				  strtoull(tok, NULL, 10));
	}
}

static void read_head(char *row, struct stats *names)
{
	char *save, *tok = strtok_r(row, "\n ", &save);

	names->nr = 0;
	while (tok && (tok = strtok_r(NULL, "\n ", &save)))
		stats_add(names, tok, 0);
}

/* Return: an array of *nr, to be freed, or NULL */
struct stats *debugfs_per_cpu(unsigned int *nr)
{
	struct stats names, *cpus = NULL, *more;
	FILE *f = debugfs_open("per_cpu");
	char *line = NULL;
	size_t size = 0;

	*nr = 0;
	if (!f)
		return NULL;
	if (getline(&line, &size, f) > 0)
		read_head(line, &names);
	while (getline(&line, &size, f) > 0) {
		more = realloc(cpus, (*nr + 1) * sizeof(*cpus));
		if (!more)
			break;
		cpus = more;
		read_row(line, &names, &cpus[(*nr)++]);
	}
	free(line);
	fclose(f);
	if (!cpus)
		util_error("there is nothing in " DEBUGFS "/kwaitd/per_cpu");
	return cpus;
}

static const struct stat_value *find(const struct stats *stats,
				     const char *name)
{
	unsigned int i;

	for (i = 0; i < stats->nr; i++) {
		if (!strcmp(stats->values[i].name, name))
			return &stats->values[i];
	}
	return NULL;
}

bool stats_has(const struct stats *stats, const char *name)
{
	return find(stats, name);
}

__u64 stats_get(const struct stats *stats, const char *name)
{
	const struct stat_value *v = find(stats, name);

	return v ? v->value : 0;
}

/* All whose names begin alike */
__u64 stats_sum(const struct stats *stats, const char *prefix)
{
	size_t len = strlen(prefix);
	__u64 sum = 0;
	unsigned int i;

	for (i = 0; i < stats->nr; i++) {
		if (!strncmp(stats->values[i].name, prefix, len))
			sum += stats->values[i].value;
	}
	return sum;
}

/* Is it how many there are now, and not how many there were since load? */
bool stats_is_gauge(const char *name)
{
	static const char * const gauges[] = {
		"live_marks", "exit_records", "adopted", "own_children",
		"grace", "backlog", "backlog_max",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gauges); i++) {
		if (!strcmp(name, gauges[i]))
			return true;
	}
	return false;
}

static unsigned int bucket(__u64 ns)
{
	return ns ? 63 - __builtin_clzll(ns) : 0;
}

bool debugfs_latency(struct latency *latency)
{
	FILE *f = debugfs_open("latency");
	__u64 from, count;

	memset(latency, 0, sizeof(*latency));
	if (!f)
		return false;
	/* ns_from count */
	if (fscanf(f, "%*s %*s") != EOF) {
		while (fscanf(f, "%llu %llu", &from, &count) == 2)
			latency->count[bucket(from)] += count;
	}
	fclose(f);
	return true;
}

void latency_since(struct latency *now, const struct latency *then)
{
	unsigned int i;

	for (i = 0; i < LATENCIES; i++)
		now->count[i] -= then->count[i];
}

__u64 latency_total(const struct latency *latency)
{
	__u64 sum = 0;
	unsigned int i;

	for (i = 0; i < LATENCIES; i++)
		sum += latency->count[i];
	return sum;
}

/* Where the bucket ends that it is in, so not less than it is; 0: no values */
__u64 latency_quantile(const struct latency *latency, double q)
{
	double rank = q * latency_total(latency), sum = 0;
	int i, max = latency_max_bucket(latency);

	for (i = 0; i <= max; i++) {
		sum += latency->count[i];
		if (sum >= rank)
			return 2ULL << i;
	}
	return 0;
}

/* Return: the highest bucket with something in it, or -1 */
int latency_max_bucket(const struct latency *latency)
{
	int i = LATENCIES - 1;

	while (i >= 0 && !latency->count[i])
		i--;
	return i;
}

/* With the three digits that are worth showing */
const char *latency_text(char *buf, size_t size, __u64 ns)
{
	static const char * const units[] = { "ns", "us", "ms", "s" };
	unsigned int i = 0;
	double t = ns;

	while (t >= 999.5 && i + 1 < ARRAY_SIZE(units)) {
		t /= 1000;
		i++;
	}
	snprintf(buf, size, "%.*f%s", i && t < 9.95 ? 1 : 0, t, units[i]);
	return buf;
}
