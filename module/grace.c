// SPDX-License-Identifier: GPL-2.0
/*
 * Grace: for so many milliseconds an orphan stays a zombie as ever, for its adopted reaper
 * to wait for. When the time is over it is taken from the reaper.
 *
 * What this file promises: no orphan is taken before its time is over, which counts from
 * its death. If it has been waited for meanwhile, it is not found any more.
 *
 * Locking: the hook adds to an llist. All else is the work's own, of which there is never
 * more than one run.
 */
#include <linux/jiffies.h>
#include <linux/llist.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>

#include "grace.h"
#include "later.h"
#include "param.h"
#include "pool.h"
#include "zombie.h"

unsigned int kwaitd_grace_ms;

/* An orphan in its grace time */
struct grace {
	struct llist_node llist;
	struct pid *pid;		/* a reference */
	struct kwaitd_adoption *reaper;	/* a reference */
	unsigned long died;		/* jiffies */
};

static_assert(sizeof(struct grace) <= KWAITD_POOL_SIZE);

static LLIST_HEAD(fresh);		/* from the notify hook, youngest first */
static atomic_long_t nr_graces;

/* Earlier ones, oldest first, and where the next one goes. Only the work uses them. */
static struct llist_node *graces, **graces_end = &graces;

/* How often those are forgotten that have been waited for */
#define FORGET (5UL * HZ)

static struct kwaitd_later grace_work;

/**
 * kwaitd_grace_begin() - an orphan becomes a zombie, for its reaper to wait for
 * @p: its group leader
 * @a: its reaper
 *
 * Without memory it stays a zombie until somebody sweeps.
 *
 * Context: notify hook.
 */
void kwaitd_grace_begin(struct task_struct *p, struct kwaitd_adoption *a)
{
	struct grace *grace = kwaitd_pool_get();

	if (!grace)
		return;
	kwaitd_family_get(&a->family);
	atomic_inc(&a->grace);
	*grace = (struct grace){
		.pid = get_pid(task_tgid(p)),
		.reaper = a,
		.died = jiffies,
	};
	atomic_long_inc(&nr_graces);
	llist_add(&grace->llist, &fresh);
	kwaitd_later(&grace_work,
		     min(msecs_to_jiffies(READ_ONCE(kwaitd_grace_ms)), FORGET));
}

static void graces_append_fresh(void)
{
	struct llist_node *youngest = llist_del_all(&fresh);

	if (!youngest)
		return;
	*graces_end = llist_reverse_order(youngest);
	graces_end = &youngest->next;
}

static struct grace *grace_of(struct llist_node *node)
{
	return llist_entry(node, struct grace, llist);
}

/* Take the one at *where out of graces, and forget it. */
static void grace_drop(struct llist_node **where)
{
	struct grace *grace = grace_of(*where);

	*where = grace->llist.next;
	if (!*where)
		graces_end = where;
	atomic_long_dec(&nr_graces);
	atomic_dec(&grace->reaper->grace);
	kwaitd_family_put(&grace->reaper->family);
	put_pid(grace->pid);
	kwaitd_pool_free(grace);
}

static void graces_forget(void)
{
	struct llist_node **where = &graces;

	while (*where) {
		if (pid_has_task(grace_of(*where)->pid, PIDTYPE_TGID))
			where = &(*where)->next;
		else
			grace_drop(where);
		cond_resched();
	}
}

/*
 * Add the zombies whose time is over to z.
 * @left: set to the jiffies until the time of the next one is over; -1: there is none
 * Return: how many of graces it was, the first ones. Some may be no zombies any more.
 */
static unsigned int graces_over(struct kwaitd_zombies *z, long *left)
{
	unsigned long time = msecs_to_jiffies(READ_ONCE(kwaitd_grace_ms));
	struct llist_node *node;
	struct grace *grace;
	struct task_struct *p;
	unsigned int n = 0;

	for (node = graces; node; node = node->next) {
		grace = grace_of(node);
		*left = grace->died + time - jiffies;
		if (*left > 0)
			return n;
		*left = 0;
		if (z->nr == KWAITD_ZOMBIES)
			return n;
		rcu_read_lock();
		p = pid_task(grace->pid, PIDTYPE_TGID);
		if (p)
			kwaitd_zombies_add(z, p);
		rcu_read_unlock();
		n++;
	}
	*left = -1;
	return n;
}

static void kwaitd_grace(struct work_struct *work)
{
	static unsigned long forgotten;
	struct kwaitd_zombies z = { };
	unsigned int over;
	long left;

	graces_append_fresh();
	if (time_after(jiffies, forgotten + FORGET)) {
		graces_forget();
		forgotten = jiffies;
	}
	over = graces_over(&z, &left);
	if (z.nr && kwaitd_zombies_release(&z) < 0) {
		/* There is no memory, or no pid, for a thread. These zombies may have them all. */
		kwaitd_later(&grace_work, HZ);
		return;
	}
	while (over--)
		grace_drop(&graces);
	if (left >= 0)
		kwaitd_later(&grace_work, min((unsigned long)left, FORGET));
}

static void grace_ms_changed(void)
{
	/* For some orphans the time may be over now. */
	kwaitd_later_now(&grace_work);
}

static struct kwaitd_range grace_ms_param = {
	.value = &kwaitd_grace_ms,
	.min = 0,
	.max = 3600000,
	.changed = grace_ms_changed,
};
module_param_cb(grace_ms, &kwaitd_range_ops, &grace_ms_param, 0644);
MODULE_PARM_DESC(grace_ms, "milliseconds that an adopted reaper may still wait for an orphan that has died (0 to 3600000, default 0)");

/**
 * kwaitd_grace_count() - how many orphans are in their grace time
 *
 * Context: any.
 */
unsigned long kwaitd_grace_count(void)
{
	return atomic_long_read(&nr_graces);
}

/**
 * kwaitd_grace_init() - before the hooks are armed
 *
 * Context: any.
 */
void kwaitd_grace_init(void)
{
	kwaitd_later_init(&grace_work, kwaitd_grace);
}

/**
 * kwaitd_grace_exit() - forget all: a zombie is its reaper's to wait for
 *
 * Context: process context; may sleep. The hooks are disarmed.
 */
void kwaitd_grace_exit(void)
{
	kwaitd_later_exit(&grace_work);
	graces_append_fresh();
	while (graces)
		grace_drop(&graces);
}
