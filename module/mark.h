/* SPDX-License-Identifier: GPL-2.0 */
/* Marks: who was created detached, and records of how such processes ended */
#ifndef _KWAITD_MARK_H
#define _KWAITD_MARK_H

#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/types.h>

#include "pidtab.h"

struct task_struct;

/* The mark of a living process; or, once that is released, a record of its end */
struct kwaitd_mark {
	struct kwaitd_entry entry;
	struct llist_node llist;	/* in status.c's list, while hanging_up */
	u64 cgroupid;			/* this and exit_code: of a record */
	int exit_code;
	bool released;			/* or about to be: this is a record */
	bool hanging_up;		/* until status.c clears it */
};

extern atomic_long_t kwaitd_mark_live;		/* marks of living processes */
extern atomic_long_t kwaitd_mark_records;	/* records */

/*
 * Is there a mark or a record? Never, where the kernel keeps the marks. A mark that
 * becomes a record is counted there before it is no longer counted here.
 */
static inline bool kwaitd_mark_any(void)
{
	return unlikely(atomic_long_read(&kwaitd_mark_live) ||
			atomic_long_read(&kwaitd_mark_records));
}

void kwaitd_mark_fork(struct task_struct *child, u64 clone_flags);
bool kwaitd_mark_test(struct task_struct *leader);
bool kwaitd_mark_test_thread(const struct task_struct *p);
bool kwaitd_mark_release(struct task_struct *leader, struct kwaitd_mark **record);
bool kwaitd_mark_known(struct pid *pid);
bool kwaitd_mark_gone(struct pid *pid);
int kwaitd_mark_status(struct pid *pid, u64 *cgroupid, s32 *exit_code);
void kwaitd_mark_tidy(void);
void kwaitd_mark_exit(void);

#endif /* _KWAITD_MARK_H */
