/* SPDX-License-Identifier: GPL-2.0 */
/* Which programs leave orphans. */
#ifndef _KWAITCTL_TOP_LEAKS_H
#define _KWAITCTL_TOP_LEAKS_H

#include <linux/types.h>
#include <stdbool.h>

struct trace;

/* Processes choose their names, so there may be any number of names. */
#define MAX_LEAKS 1024

/* Parents of one name, whose children have become orphans */
struct leak {
	char comm[17];
	__u64 nr;
};

struct leaks {
	struct trace *trace;	/* NULL: there are no events */
	struct leak all[MAX_LEAKS];
	unsigned int nr;
	__u64 orphans;	/* of all leaks, and those without room there */
};

void leaks_open(struct leaks *leaks);
bool leaks_read(struct leaks *leaks);
void leaks_sort(struct leaks *leaks);
void leaks_close(struct leaks *leaks);

#endif /* _KWAITCTL_TOP_LEAKS_H */
