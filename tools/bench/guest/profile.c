// SPDX-License-Identifier: GPL-2.0
/*
 * One way and kind, between two marks that plugin.c counts between.
 */
#include "bench.h"

/* No-ops that nobody else has */

static inline void mark_start(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x84, 0, 'k', 'w', 1, 0");
}

static inline void mark_stop(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x84, 0, 'k', 'w', 0, 0");
}

static void profile(char *what, int children)
{
	char *state = strsep(&what, ","), *kind = strsep(&what, ",");
	const struct way *way;
	unsigned int k = 0, w = 0;
	int i;

	need(kind && what);
	while (strcmp(kinds[k].name, kind))
		need(++k < NR_KINDS);
	while (strcmp(ways[w].name, what))
		need(++w < nr_ways);
	way = &ways[w];
	state_set(strcmp(state, "absent") ? LOADED : ABSENT);
	quiesce();
	way_enter(way, &kinds[k]);
	mark_start();
	for (i = 0; i < children; i++)
		way->child(way, &kinds[k]);
	settle();
	mark_stop();
	way_leave(way);
}

/* CHILDREN STATE,KIND,WAY... */
int mode_profile(char **arg)
{
	int children = atoi(*arg++);

	never_preempt();
	for (; *arg; arg++)
		profile(*arg, children);
	return 0;
}
