// SPDX-License-Identifier: GPL-2.0
/*
 * One way and kind, between two marks that plugin.c counts between: no-ops that nobody
 * else has.
 */
#include "bench.h"

static inline void mark_start(void)
{
	asm volatile(MARK("1"));
}

static inline void mark_stop(void)
{
	asm volatile(MARK("0"));
}

static void profile_settle(void)
{
	mark_start();
	settle();
	mark_stop();
}

/*
 * One child, counted from its exit() on: until its parent is back, and then what is left
 * of it. Before that, each with a count of its own, others, and that time without a child.
 */
static void profile_exit(const struct way *way, const struct kind *kind)
{
	int i;

	for (i = 0; i < WARM_UP; i++)
		way->child(way, kind);
	settle();
	mark_stop();
	profile_settle();
	way->child(way, kind);
	mark_stop();
	profile_settle();
}

static void profile_children(const struct way *way, const struct kind *kind, int n,
			     bool counted)
{
	if (counted)
		mark_start();
	while (n--)
		way->child(way, kind);
	settle();
	if (counted)
		mark_stop();
}

static void profile(const char *run, int children, bool counted)
{
	char buf[64], *what = buf, *state, *kind;
	const struct way *way;
	unsigned int k = 0, w = 0;

	snprintf(buf, sizeof(buf), "%s", run);
	state = strsep(&what, ",");
	kind = strsep(&what, ",");
	need(kind && what);
	while (strcmp(kinds[k].name, kind))
		need(++k < NR_KINDS);
	while (strcmp(ways[w].name, what))
		need(++w < nr_ways);
	way = &ways[w];
	state_set(strcmp(state, "absent") ? LOADED : ABSENT);
	quiesce();
	way_enter(way, &kinds[k]);
	if (children)
		profile_children(way, &kinds[k], children, counted);
	else
		profile_exit(way, &kinds[k]);
	way_leave(way);
}

/* CHILDREN STATE,KIND,WAY...; no CHILDREN: one, from its exit() on */
int mode_profile(char **arg)
{
	int children = atoi(*arg++), i;

	never_preempt();
	/* All of them once before, to fill the slabs: one alone fills its own. */
	for (i = 0; children && arg[i]; i++)
		profile(arg[i], children, false);
	for (i = 0; arg[i]; i++)
		profile(arg[i], children, true);
	return 0;
}
