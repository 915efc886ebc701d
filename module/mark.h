/* SPDX-License-Identifier: GPL-2.0 */
/* What mark.c keeps of a detached process, for those it shares that with. */
#ifndef _KWAITD_MARK_H
#define _KWAITD_MARK_H

#include <linux/llist.h>
#include <linux/types.h>

struct pid;

/*
 * A detached process (mark.c, which says what protects it), an adopted reaper's own
 * child (adopt.c), or an orphan that it may still wait for (sweep.c).
 */
struct kwaitd_mark {
	struct hlist_node node;		/* in a table, or in the pool */
	struct pid *pid;		/* the thread group's; a reference */
	struct llist_node llist;	/* in status.c's list, while hanging_up; or sweep.c's */
	union {
		struct {
			u64 cgroupid;	/* this and exit_code: once released */
			int exit_code;
			bool released;	/* or about to be: this is a record */
			bool hanging_up; /* until status.c clears it */
		};
		struct {
			struct kwaitd_adoption *reaper;	/* a reference */
			unsigned long died;	/* jiffies */
		};
	};
};

/* pool.c: memory for marks, also where none can be allocated */

struct kwaitd_mark *kwaitd_pool_get(void);
struct kwaitd_mark *kwaitd_pool_alloc(void);
void kwaitd_pool_put(struct kwaitd_mark *mark);
void kwaitd_pool_free(struct kwaitd_mark *mark);

/* status.c: how detached processes ended */

void kwaitd_status_watch(void);
void kwaitd_status_keep(struct kwaitd_mark *mark);

#endif /* _KWAITD_MARK_H */
