// SPDX-License-Identifier: GPL-2.0
/*
 * Adopted reapers: processes that want nothing to do with their orphans.
 *
 * A reaper is whom the kernel gives orphans to: the init of a pid namespace, or a process
 * that has called prctl(PR_SET_CHILD_SUBREAPER). Once it is adopted, a child that is not
 * among its own (family.c) is an orphan. It does not hear of the death of orphans.
 *
 * What this file promises:
 *
 *  - Nobody is called an orphan of a reaper unless all the reaper's own children are noted.
 *  - An adoption ends with the process, or with kwaitd_adopt_end().
 *
 * Locking: reapers are found under RCU, which hooks are readers of since they run with
 * preemption off. They come and go under reapers_lock. That nests inside tasklist_lock,
 * which interrupts take for reading: never hold it with interrupts on. adopt_mutex makes
 * those who may sleep take turns; reapers_lock nests in it.
 */
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <uapi/linux/kwaitd.h>

#include "adopt.h"
#include "compat.h"
#include "count.h"
#include "later.h"
#include "origin.h"

static_assert(offsetof(struct kwaitd_adoption, family) == 0);

#define TABLE_BITS 8

static struct hlist_head table[1 << TABLE_BITS];
static LIST_HEAD(reapers);			/* in order of adoption */
unsigned long kwaitd_adopt_nr;
static u64 last_id;
static DEFINE_RAW_SPINLOCK(reapers_lock);	/* to change the above */

static DEFINE_MUTEX(adopt_mutex);

/* How often it is seen to that nothing is kept of what has died past the hooks */
#define TIDY (10 * HZ)

static struct kwaitd_later tidy_work;

static struct hlist_head *bucket(struct pid *pid)
{
	return &table[hash_ptr(pid, TABLE_BITS)];
}

/* Context: RCU. */
static struct kwaitd_adoption *reaper_find(struct pid *pid)
{
	struct kwaitd_adoption *a;

	hlist_for_each_entry_rcu(a, bucket(pid), node) {
		if (a->family.pid == pid)
			return a;
	}
	return NULL;
}

/**
 * kwaitd_adopt_find_parent() - the adopted reaper whose child a process is
 * @p: its group leader
 *
 * Context: RCU, as hooks are.
 * Return: NULL if its parent is not adopted.
 */
struct kwaitd_adoption *kwaitd_adopt_find_parent(struct task_struct *p)
{
	return reaper_find(kwaitd_family_parent(p));
}

/**
 * kwaitd_adopt_find_orphan() - the adopted reaper whose orphan a process is
 * @p: its group leader
 *
 * Context: RCU, as hooks are.
 * Return: NULL if it is nobody's, or if that is not known.
 */
struct kwaitd_adoption *kwaitd_adopt_find_orphan(struct task_struct *p)
{
	struct kwaitd_adoption *a = kwaitd_adopt_find_parent(p);

	if (!a || !kwaitd_family_complete(&a->family) ||
	    kwaitd_family_has(&a->family, task_tgid(p)))
		return NULL;
	return a;
}

/**
 * kwaitd_adopt_released() - a process is about to be released
 * @leader: its group leader
 *
 * Context: release hook.
 */
void kwaitd_adopt_released(struct task_struct *leader)
{
	/* An adoption ends with its reaper. */
	if (reaper_find(task_tgid(leader)))
		kwaitd_later(&tidy_work, 1);
	kwaitd_family_released(leader);
}

static int reaper_add(struct kwaitd_adoption *a)
{
	unsigned long flags;
	int err = 0;

	raw_spin_lock_irqsave(&reapers_lock, flags);
	if (reaper_find(a->family.pid)) {
		err = -EALREADY;
	} else {
		refcount_set(&a->family.refs, 1);
		a->id = ++last_id;
		hlist_add_head_rcu(&a->node, bucket(a->family.pid));
		list_add_tail_rcu(&a->list, &reapers);
		WRITE_ONCE(kwaitd_adopt_nr, kwaitd_adopt_nr + 1);
	}
	raw_spin_unlock_irqrestore(&reapers_lock, flags);
	if (!err)
		kwaitd_later(&tidy_work, TIDY);
	return err;
}

/* Adoptions that hooks find no more, but may still look at. Under adopt_mutex. */
static struct kwaitd_adoption *gone;

static void reaper_del(struct kwaitd_adoption *a)
{
	raw_spin_lock_irq(&reapers_lock);
	hlist_del_rcu(&a->node);
	list_del_rcu(&a->list);
	WRITE_ONCE(kwaitd_adopt_nr, kwaitd_adopt_nr - 1);
	raw_spin_unlock_irq(&reapers_lock);
	WRITE_ONCE(a->family.ended, true);
	a->next = gone;
	gone = a;
}

/*
 * Let go of the adoptions in gone, after one grace period for all of them: with auto_adopt
 * many reapers may have died.
 * Context: process context; sleeps.
 */
static void reapers_tidy(void)
{
	struct kwaitd_adoption *a;

	if (gone)
		synchronize_rcu();
	while ((a = gone)) {
		gone = a->next;
		put_pid(a->family.pid);
		kwaitd_family_put(&a->family);
	}
	kwaitd_family_tidy();
}

static bool is_alive(struct task_struct *p)
{
	return atomic_read(&p->signal->live);
}

/* Return: 0, or why this cannot be adopted */
static int check_reaper(struct pid *pid)
{
	struct task_struct *p;
	int err = 0;

	rcu_read_lock();
	p = pid_task(pid, PIDTYPE_TGID);
	if (!p)
		err = pid_has_task(pid, PIDTYPE_PID) ? -EINVAL : -ESRCH;
	else if (!is_alive(p))
		err = -ESRCH;
	else if (!is_child_reaper(pid) && !p->signal->is_child_subreaper)
		err = -EINVAL;
	rcu_read_unlock();
	return err;
}

/**
 * kwaitd_adopt() - adopt a reaper
 * @pid: of its thread group
 * @own: set to how many living children it has
 * @zombies: and how many dead ones
 *
 * Context: process context; may sleep.
 * Return: 0 or see KWAITD_IOC_ADOPT.
 */
int kwaitd_adopt(struct pid *pid, u32 *own, u32 *zombies)
{
	struct kwaitd_adoption *a;
	int err;

	err = check_reaper(pid);
	if (err)
		return err;
	a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	if (!a)
		return -ENOMEM;
	a->family.pid = get_pid(pid);
	atomic_set(&a->family.missed, 1);

	err = mutex_lock_killable(&adopt_mutex);
	if (err)
		goto free;
	err = reaper_add(a);
	if (err)
		goto unlock;
	err = kwaitd_family_look(&a->family, own, zombies);
	if (err) {
		reaper_del(a);
		reapers_tidy();
	}
	mutex_unlock(&adopt_mutex);
	return err;

unlock:
	mutex_unlock(&adopt_mutex);
free:
	put_pid(a->family.pid);
	kfree(a);
	return err;
}

/**
 * kwaitd_adopt_end() - adopt a reaper no longer
 * @pid: of its thread group
 *
 * Context: process context; may sleep.
 * Return: 0 or see KWAITD_IOC_RELEASE.
 */
int kwaitd_adopt_end(struct pid *pid)
{
	struct kwaitd_adoption *a;

	if (mutex_lock_killable(&adopt_mutex))
		return -EINTR;
	rcu_read_lock();
	a = reaper_find(pid);
	rcu_read_unlock();
	if (a) {
		/* adopt_mutex: nobody else deletes it. */
		reaper_del(a);
		reapers_tidy();
	}
	mutex_unlock(&adopt_mutex);
	return a ? 0 : -ENOENT;
}

/**
 * kwaitd_adopt_state() - is it adopted?
 * @pid: of a thread group
 *
 * Context: any.
 * Return: 0, -ENOENT, or -EAGAIN while its children are being looked through.
 */
int kwaitd_adopt_state(struct pid *pid)
{
	struct kwaitd_adoption *a;
	int err = -ENOENT;

	rcu_read_lock();
	a = reaper_find(pid);
	if (a)
		err = kwaitd_family_complete(&a->family) ? 0 : -EAGAIN;
	rcu_read_unlock();
	return err;
}

/**
 * kwaitd_adopt_show() - the next adopted reaper that the caller can see
 * @reaper: to be filled in
 * @id: where to go on, at first 0
 *
 * Context: process context.
 * Return: false if there is none.
 */
bool kwaitd_adopt_show(struct kwaitd_reaper *reaper, u64 *id)
{
	struct task_struct *p;
	struct kwaitd_adoption *a;
	bool found = false;

	rcu_read_lock();
	list_for_each_entry_rcu(a, &reapers, list) {
		if (a->id <= *id || !pid_vnr(a->family.pid))
			continue;
		p = pid_task(a->family.pid, PIDTYPE_TGID);
		if (!p)
			continue;
		*id = a->id;
		*reaper = (struct kwaitd_reaper) {
			.pid = pid_vnr(a->family.pid),
			.flags = (is_child_reaper(a->family.pid) ? KWAITD_REAPER_INIT : 0) |
				 (a->automatic ? KWAITD_REAPER_AUTO : 0) |
				 (kwaitd_family_complete(&a->family) ? 0 : KWAITD_REAPER_PAUSED),
			.orphans = atomic_long_read(&a->orphans),
			.swept = atomic_long_read(&a->swept),
			.own = atomic_read(&a->family.own),
			.grace = atomic_read(&a->grace),
		};
		static_assert(sizeof(reaper->comm) == TASK_COMM_LEN);
		strscpy_pad(reaper->comm, p->comm, sizeof(reaper->comm));
		found = true;
		break;
	}
	rcu_read_unlock();
	return found;
}

static bool is_over(struct kwaitd_adoption *a)
{
	struct task_struct *p;
	bool over;

	rcu_read_lock();
	p = pid_task(a->family.pid, PIDTYPE_TGID);
	over = !p || !is_alive(p);
	rcu_read_unlock();
	return over;
}

/*
 * Look again at the children of reapers whose family is incomplete, and let go of reapers
 * that have died.
 */
static void kwaitd_adopt_tidy(struct work_struct *work)
{
	struct kwaitd_adoption *a, *next;
	u32 own, zombies;

	mutex_lock(&adopt_mutex);
	/* adopt_mutex: nobody else deletes, and additions go to the end. */
	list_for_each_entry_safe(a, next, &reapers, list) {
		if (is_over(a))
			reaper_del(a);
		else if (!kwaitd_family_complete(&a->family))
			kwaitd_family_look(&a->family, &own, &zombies);
	}
	reapers_tidy();
	if (kwaitd_adopt_any())
		kwaitd_later(&tidy_work, TIDY);
	mutex_unlock(&adopt_mutex);
}

/**
 * kwaitd_adopt_newborn() - adopt the init of a new pid namespace
 * @init: has not run yet, and so has no children
 * @a: memory for it, zeroed
 *
 * Context: fork hook.
 */
void kwaitd_adopt_newborn(struct task_struct *init, struct kwaitd_adoption *a)
{
	a->family.pid = get_pid(task_tgid(init));
	a->automatic = true;
	/* There are no children to look at. */
	a->family.seen = 1;
	atomic_set(&a->family.missed, a->family.seen);
	if (!reaper_add(a))
		return;
	/* Its pid can be seen by now, and somebody was quick to adopt it by hand. */
	put_pid(a->family.pid);
	kfree_rcu(a, family.rcu);
}

/*
 * Is the new child, which current has created for itself or with CLONE_PARENT for its
 * parent, an own child of the reaper? So it is if current is the reaper or an own child.
 * Where that is not known of current, the child is taken for an own one.
 */
static bool born_own(struct kwaitd_adoption *a)
{
	struct pid *pid = task_tgid(current);

	return pid == a->family.pid || !kwaitd_family_complete(&a->family) ||
	       kwaitd_family_has(&a->family, pid);
}

/**
 * kwaitd_adopt_fork() - a process was created
 * @child: has not run yet
 *
 * Context: fork hook.
 */
void kwaitd_adopt_fork(struct task_struct *child)
{
	struct kwaitd_adoption *a;

	if (!thread_group_leader(child))
		return;
	/* Also when the module is not quite loaded: /dev/kwaitd can be used before. */
	a = kwaitd_adopt_find_parent(child);
	if (!a || !born_own(a)) {
		kwaitd_origin_note(child);
		return;
	}
	if (!kwaitd_family_born(&a->family, child)) {
		kwaitd_count(KWAITD_ADOPT_PAUSED);
		kwaitd_later(&tidy_work, 1);
	}
}

/**
 * kwaitd_adopt_init() - before anybody can be adopted
 *
 * Context: any.
 */
void kwaitd_adopt_init(void)
{
	kwaitd_later_init(&tidy_work, kwaitd_adopt_tidy);
}

/**
 * kwaitd_adopt_exit() - let go of all reapers
 *
 * Context: process context; sleeps. The hooks are disarmed.
 */
void kwaitd_adopt_exit(void)
{
	struct kwaitd_adoption *a, *next;

	kwaitd_later_exit(&tidy_work);
	list_for_each_entry_safe(a, next, &reapers, list)
		reaper_del(a);
	reapers_tidy();
}
