/* SPDX-License-Identifier: GPL-2.0 */
/* Adopted reapers: who is one, and who is an orphan of one */
#ifndef _KWAITD_ADOPT_H
#define _KWAITD_ADOPT_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/types.h>

#include "family.h"

struct kwaitd_reaper;
struct pid;
struct task_struct;

struct kwaitd_adoption {
	struct kwaitd_family family;	/* first, as family.h wants it */
	struct hlist_node node;		/* in table; RCU */
	struct list_head list;		/* in reapers, RCU; or in spares of auto.c */
	u64 id;				/* adoptions are numbered */
	bool automatic;			/* adopted at its birth, by auto_adopt */
	atomic_long_t orphans, swept;	/* totals */
	atomic_t grace;			/* orphans in their grace time now */
	struct kwaitd_adoption *next;	/* in gone */
};

extern unsigned long kwaitd_adopt_nr;	/* of reapers */

/*
 * Is anybody adopted? If not, forks and exits have nothing to ask adopt.c. It may still
 * keep own children of adoptions that have ended; these are about to be let go of.
 */
static inline bool kwaitd_adopt_any(void)
{
	return unlikely(READ_ONCE(kwaitd_adopt_nr));
}

int kwaitd_adopt(struct pid *pid, u32 *own, u32 *zombies);
int kwaitd_adopt_end(struct pid *pid);
int kwaitd_adopt_state(struct pid *pid);
bool kwaitd_adopt_show(struct kwaitd_reaper *reaper, u64 *id);
struct kwaitd_adoption *kwaitd_adopt_find_parent(struct task_struct *p);
struct kwaitd_adoption *kwaitd_adopt_find_orphan(struct task_struct *p);
void kwaitd_adopt_fork(struct task_struct *child);
void kwaitd_adopt_newborn(struct task_struct *init, struct kwaitd_adoption *a);
void kwaitd_adopt_released(struct task_struct *leader);
void kwaitd_adopt_init(void);
void kwaitd_adopt_exit(void);

#endif /* _KWAITD_ADOPT_H */
