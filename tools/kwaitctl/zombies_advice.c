// SPDX-License-Identifier: GPL-2.0
/*
 * What to do about the zombies of one parent. zombies_advice() decides; zombies_print.c
 * prints the advice.
 */
#include <stdio.h>
#include <string.h>

#include "proc.h"
#include "util.h"
#include "zombies_advice.h"
#include "zombies_find.h"
#include "zombies_group.h"

/* A parent that has not waited for so long (s) will not wait any more. */
#define YOUNG 1

static const char hangs[] =
"systemd waits for all it gets; if it does not, it hangs: see its journal";

static const char above[] =
"its parent is in a pid namespace above: look from there";

static const char ended[] =
"their parent has just ended: look again";

static const char only_leaders[] =
"no zombies proper: the first thread has ended, others still run";

static const char adopted[] =
"adopted: own children, in grace time, or of before: 'kwaitctl reap %d'";

static void advise_init(const struct group *g, char *buf, size_t size)
{
	static const char * const expects[] = {
		[DEFAULT] = "",
		[CAUGHT] = " catches SIGCHLD, but",
		[IGNORED] = " ignores SIGCHLD, but did not when they died, and",
		[BLOCKED] = " blocks SIGCHLD, but",
	};

	if (util_is_systemd(g->parent.comm))
		snprintf(buf, size, hangs);
	else
		snprintf(buf, size, "an init that%s does not wait: 'kwaitctl adopt %d'",
			 expects[g->sigchld], g->parent.pid);
}

/*
 * An ordinary parent has a bug, a subreaper can be adopted. Nobody can see from outside
 * whether a process is a subreaper, so the advice names both.
 */
static void advise_parent(const struct group *g, char *buf, size_t size)
{
	const char *what;

	switch (g->sigchld) {
	case CAUGHT:
		what = "it expects SIGCHLD, but does not wait";
		break;
	case BLOCKED:
		what = "it blocks SIGCHLD, as in system(3), and does not wait";
		break;
	case IGNORED:
		what = "it ignores SIGCHLD, but did not when they died";
		break;
	default:
		what = "it does not wait";
	}
	snprintf(buf, size, "%s: a bug, restart it; or if it is a subreaper, 'kwaitctl adopt %d'",
		 what, g->parent.pid);
}

static void advise_stopped(const struct group *g, char *buf, size_t size)
{
	char comm[64];

	if (g->tracer) {
		proc_comm(g->tracer, comm, sizeof(comm));
		snprintf(buf, size, "its tracer %d (%s) has stopped it, so it cannot wait",
			 g->tracer, comm);
		return;
	}
	snprintf(buf, size, "it is stopped, so it cannot wait: 'kill -CONT %d'",
		 g->parent.pid);
}

static void advise_traced(const struct group *g, char *buf, size_t size)
{
	pid_t tracer = group_first_tracer(g);
	char comm[64];

	proc_comm(tracer, comm, sizeof(comm));
	snprintf(buf, size, "%u traced: %d (%s) must wait for that before the parent can",
		 g->traced, tracer, comm);
}

/**
 * zombies_advice() - say why a parent has zombies, and what to do about them
 * @g: the parent and its zombies
 * @buf: for the advice, a line without its newline
 * @size: of @buf
 *
 * Several reasons may hold. The first one in this order explains the others: a parent
 * that is stopped, say, waits again as soon as it runs, and need not be adopted.
 *
 * Return: @buf
 */
const char *zombies_advice(const struct group *g, char *buf, size_t size)
{
	if (g->alive == g->nr)
		snprintf(buf, size, only_leaders);
	else if (!g->known)
		snprintf(buf, size, g->parent.pid ? ended : above);
	else if (g->first->age < YOUNG)
		snprintf(buf, size, "they have just died: look again");
	else if (strchr("Tt", g->parent.state))
		advise_stopped(g, buf, size);
	else if (g->traced)
		advise_traced(g, buf, size);
	else if (g->adopted)
		snprintf(buf, size, adopted, g->parent.pid);
	else if (g->init)
		advise_init(g, buf, size);
	else
		advise_parent(g, buf, size);
	return buf;
}
