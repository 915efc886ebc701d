/* SPDX-License-Identifier: GPL-2.0 */
/* The own children of adopted reapers */
#ifndef _KWAITD_FAMILY_H
#define _KWAITD_FAMILY_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>

struct pid;
struct task_struct;

/*
 * A reaper, as far as its own children go. It is the first member of what was allocated
 * with kmalloc(), and that is freed with the last reference, after a grace period.
 */
struct kwaitd_family {
	struct pid *pid;	/* the reaper's thread group; as long as it is adopted */
	unsigned int seen;	/* what missed was, before the last look; 0: no look yet */
	atomic_t missed;	/* own children that could not be noted, and 1 */
	atomic_t own;		/* own children that are noted */
	bool ended;		/* it is adopted no longer */
	refcount_t refs;	/* the adoption's, and those of own children and orphans */
	struct rcu_head rcu;
};

static inline void kwaitd_family_get(struct kwaitd_family *f)
{
	refcount_inc(&f->refs);
}

/* Context: any. kfree() is nothing for hooks on PREEMPT_RT. */
static inline void kwaitd_family_put(struct kwaitd_family *f)
{
	if (refcount_dec_and_test(&f->refs))
		kfree_rcu(f, rcu);
}

/* Are all own children in the table? Else nobody can be told to be an orphan. */
static inline bool kwaitd_family_complete(struct kwaitd_family *f)
{
	/* Pairs with kwaitd_family_look(). */
	return smp_load_acquire(&f->seen) == atomic_read(&f->missed);
}

struct pid *kwaitd_family_parent(struct task_struct *p);
bool kwaitd_family_has(struct kwaitd_family *f, struct pid *pid);
bool kwaitd_family_born(struct kwaitd_family *f, struct task_struct *child);
void kwaitd_family_released(struct task_struct *leader);
int kwaitd_family_look(struct kwaitd_family *f, u32 *own, u32 *zombies);
void kwaitd_family_tidy(void);
unsigned long kwaitd_family_count(void);

#endif /* _KWAITD_FAMILY_H */
