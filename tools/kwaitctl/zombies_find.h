/* SPDX-License-Identifier: GPL-2.0 */
/* Which zombies there are. */
#ifndef _KWAITCTL_ZOMBIES_FIND_H
#define _KWAITCTL_ZOMBIES_FIND_H

#include <stdbool.h>
#include <sys/types.h>

#include "proc.h"

struct zombie {
	struct proc proc;
	double age;		/* s */
	bool exact;		/* else the age may be less */
	pid_t tracer;		/* or 0 */
};

/*
 * Sorted by parent. Of each parent zombies proper come first, then those whose threads
 * still run; of each kind the oldest comes first.
 */
struct zombies {
	struct zombie *all;	/* to be freed */
	unsigned int nr;
	unsigned int room;
};

bool zombies_find(struct zombies *z, double older_than);
bool zombie_has_threads(const struct zombie *z);

#endif /* _KWAITCTL_ZOMBIES_FIND_H */
