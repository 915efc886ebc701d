/* SPDX-License-Identifier: GPL-2.0 */
/* The zombies of one parent, and what the parent is like. */
#ifndef _KWAITCTL_ZOMBIES_GROUP_H
#define _KWAITCTL_ZOMBIES_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "proc.h"

struct kwaitd_reaper;
struct zombie;
struct zombies;

/* What a parent does with SIGCHLD */
enum sigchld { DEFAULT, CAUGHT, IGNORED, BLOCKED };

struct group {
	const struct zombie *first;	/* of nr in a row, sorted as struct zombies */
	unsigned int nr;
	unsigned int alive;	/* of these are no zombies proper: threads still run */
	unsigned int traced;	/* of these are zombies proper that have a tracer */
	struct proc parent;
	bool known;		/* else it is not in our pid namespace, or gone */
	bool init;
	bool adopted;
	pid_t tracer;		/* of the parent, or 0 */
	enum sigchld sigchld;
	char cgroup[512];
};

/* The adopted reapers, or none where there is no module */
struct adopted {
	struct kwaitd_reaper *reapers;	/* to be freed */
	unsigned int nr;
};

void adopted_read(struct adopted *adopted);
void group_read(struct group *g, const struct zombies *z, unsigned int first,
		const struct adopted *adopted);
const struct zombie *group_youngest(const struct group *g);
pid_t group_first_tracer(const struct group *g);

#endif /* _KWAITCTL_ZOMBIES_GROUP_H */
