/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module has counted, from its files in debugfs. Each task that was marked is
 * queued or released inline when it dies, and each that was queued is reaped.
 */
#ifndef _KWAITD_LIB_COUNTERS_H
#define _KWAITD_LIB_COUNTERS_H

#include "file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Return: one counter, the sum over all CPUs; -1 if there is no such counter */
static inline long kw_stat(const char *name)
{
	FILE *f = fopen(KW_DEBUGFS "stats", "r");
	char key[64];
	long val, found = -1;

	while (f && fscanf(f, "%63s %ld", key, &val) == 2) {
		if (!strcmp(key, name))
			found = val;
	}
	if (f)
		fclose(f);
	return found;
}

/* Return: one counter of one CPU, from the table per_cpu; -1 if there is none */
static inline long kw_cpu_stat(int cpu, const char *name)
{
	FILE *f = fopen(KW_DEBUGFS "per_cpu", "r");
	char line[2048], *tok, *save;
	int col = -1, i;
	long found = -1;

	while (f && fgets(line, sizeof(line), f)) {
		tok = strtok_r(line, "\n ", &save);
		if (col >= 0 && tok && atoi(tok) != cpu)
			continue;
		for (i = 0; tok; i++, tok = strtok_r(NULL, "\n ", &save)) {
			if (col < 0 && !strcmp(tok, name))
				col = i;
			else if (col == i)
				found = atol(tok);
			if (found >= 0)
				break;
		}
	}
	if (f)
		fclose(f);
	return found;
}

/* How many tasks were left to kwaitd */
static inline long kw_queued(void)
{
	return kw_stat("queued_threads") + kw_stat("queued_processes") +
	       kw_stat("queued_orphans");
}

/* How many tasks were released at once, for whatever reason */
static inline long kw_inline(void)
{
	FILE *f = fopen(KW_DEBUGFS "stats", "r");
	char key[64];
	long val, sum = 0;

	while (f && fscanf(f, "%63s %ld", key, &val) == 2) {
		if (!strncmp(key, "inline_", 7))
			sum += val;
	}
	if (f)
		fclose(f);
	return sum;
}

/* Has kwaitd released everything that was queued? */
static inline bool kw_at_rest(void)
{
	return kw_stat("backlog") == 0 && kw_queued() == kw_stat("reaped");
}

/*
 * How many tasks were marked and are neither queued nor released inline: those are
 * alive. Compare two values of one test only. With offload=all also tasks are queued
 * that were not marked, so one value alone says nothing.
 */
static inline long kw_unaccounted(void)
{
	return kw_stat("marked_threads") + kw_stat("marked_processes") -
	       kw_queued() - kw_inline();
}

#endif /* _KWAITD_LIB_COUNTERS_H */
