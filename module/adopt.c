// SPDX-License-Identifier: GPL-2.0
/*
 * Adoption: reapers that want nothing to do with their orphans.
 *
 * A process whose real_parent is an adopted reaper is either an own child of it or
 * an orphan that it was given. The kernel does not remember which, so own children
 * are kept in a table: those that the fork hook sees are there before they first
 * run, and those that the reaper had before come from a look through its pid
 * namespace. Whoever is not in the table is an orphan. This is the side to keep
 * book of: there are few own children, and where there is no memory to note one
 * the adoption is paused, and orphans stay zombies as they would without it,
 * until the reaper's children have been looked through again.
 *
 * Concurrency notes. Reapers are found under RCU, which hooks are readers of since
 * they run with preemption off; they come and go under reapers_lock. Own children
 * are protected by own_lock. adopt_mutex makes those who may sleep take turns. The
 * locks do not nest in each other, but inside tasklist_lock, which interrupts
 * take for reading: never hold them with interrupts on.
 */
#include <linux/hash.h>
#include <linux/idr.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <uapi/linux/kwaitd.h>

#include "adopt.h"
#include "compat.h"
#include "kwaitd.h"
#include "later.h"
#include "mark.h"

/* An adopted reaper */
struct kwaitd_adoption {
	struct hlist_node node;		/* in table; RCU */
	struct list_head list;		/* in reapers, or spares; RCU */
	struct pid *pid;		/* the thread group's; a reference */
	u64 id;				/* adoptions are numbered */
	bool automatic;
	bool ended;
	unsigned int seen;		/* what missed was, before the last look; 0: none */
	atomic_t missed;		/* own children that could not be noted */
	atomic_long_t orphans, swept;
	atomic_t own, grace;
	refcount_t refs;		/* of the list, and of marks */
	struct kwaitd_adoption *next;	/* in gone */
	struct rcu_head rcu;
};

#define TABLE_BITS 8
#define SPARES 16

static struct hlist_head table[1 << TABLE_BITS];
static LIST_HEAD(reapers);			/* in order of adoption */
static LIST_HEAD(spares);			/* for hooks on PREEMPT_RT */
static unsigned int nr_spares;
unsigned long kwaitd_adopt_nr;			/* of reapers */
static u64 last_id;
static DEFINE_RAW_SPINLOCK(reapers_lock);	/* to change the above */

#define OWN_BITS 10

static struct hlist_head own_children[1 << OWN_BITS];
static DEFINE_RAW_SPINLOCK(own_lock);
static atomic_long_t nr_own;

static DEFINE_MUTEX(adopt_mutex);

/* How often it is seen to that nothing is kept of what has died past the hooks */
#define TIDY (10 * HZ)

static struct kwaitd_later tidy_work;

static struct hlist_head *reaper_bucket(struct pid *pid)
{
	return &table[hash_ptr(pid, TABLE_BITS)];
}

/* Context: RCU. */
static struct kwaitd_adoption *reaper_find(struct pid *pid)
{
	struct kwaitd_adoption *a;

	hlist_for_each_entry_rcu(a, reaper_bucket(pid), node) {
		if (a->pid == pid)
			return a;
	}
	return NULL;
}

/* Children */

static struct hlist_head *bucket(struct pid *pid)
{
	return &own_children[hash_ptr(pid, OWN_BITS)];
}

/* own_lock held. */
static struct kwaitd_mark *own_find(struct pid *pid)
{
	struct kwaitd_mark *mark;

	hlist_for_each_entry(mark, bucket(pid), node) {
		if (mark->pid == pid)
			return mark;
	}
	return NULL;
}

static bool is_own(struct pid *pid, struct kwaitd_adoption *a)
{
	struct kwaitd_mark *mark;
	unsigned long flags;
	bool own;

	raw_spin_lock_irqsave(&own_lock, flags);
	mark = own_find(pid);
	own = mark && mark->reaper == a;
	raw_spin_unlock_irqrestore(&own_lock, flags);
	return own;
}

static void reaper_put(struct kwaitd_adoption *a)
{
	/* kfree() is nothing for hooks on PREEMPT_RT. */
	if (refcount_dec_and_test(&a->refs))
		kfree_rcu(a, rcu);
}

static void own_unlink(struct kwaitd_mark *mark)
{
	if (!mark->reaper)
		return;
	atomic_dec(&mark->reaper->own);
	reaper_put(mark->reaper);
}

/*
 * Takes what @mark points to for @pid, or finds that it is noted already. A mark of
 * an earlier reaper becomes one of this.
 */
static void own_insert(struct kwaitd_mark **mark, struct pid *pid,
		       struct kwaitd_adoption *a)
{
	struct kwaitd_mark *old;
	unsigned long flags;

	raw_spin_lock_irqsave(&own_lock, flags);
	old = own_find(pid);
	if (!old) {
		old = *mark;
		*mark = NULL;
		*old = (struct kwaitd_mark){ .pid = get_pid(pid) };
		hlist_add_head(&old->node, bucket(pid));
		atomic_long_inc(&nr_own);
	}
	if (old->reaper != a) {
		own_unlink(old);
		refcount_inc(&a->refs);
		atomic_inc(&a->own);
		old->reaper = a;
	}
	raw_spin_unlock_irqrestore(&own_lock, flags);
}

static void own_forget(struct kwaitd_mark *mark)
{
	own_unlink(mark);
	atomic_long_dec(&nr_own);
	put_pid(mark->pid);
}

/**
 * kwaitd_adopt_released() - a process is about to be released
 * @leader: its group leader
 *
 * Context: release hook.
 */
void kwaitd_adopt_released(struct task_struct *leader)
{
	struct pid *pid = task_tgid(leader);
	struct kwaitd_mark *mark;
	unsigned long flags;

	/* An adoption ends with its reaper. */
	if (reaper_find(pid))
		kwaitd_later(&tidy_work, 1);
	/* Its own mark was made before it first ran, or when it was long there. */
	if (!atomic_long_read(&nr_own) || hlist_empty(bucket(pid)))
		return;
	raw_spin_lock_irqsave(&own_lock, flags);
	mark = own_find(pid);
	if (mark)
		__hlist_del(&mark->node);
	raw_spin_unlock_irqrestore(&own_lock, flags);
	if (!mark)
		return;
	own_forget(mark);
	kwaitd_pool_put(mark);
}

/*
 * Forget those that were released past the hook, or as it looked, and those whose
 * reaper is none any more. Context: process context.
 */
static void own_tidy(struct hlist_head *head)
{
	struct kwaitd_mark *mark;
	struct hlist_node *next;
	HLIST_HEAD(stale);

	raw_spin_lock_irq(&own_lock);
	hlist_for_each_entry_safe(mark, next, head, node) {
		if (!READ_ONCE(mark->reaper->ended) &&
		    pid_has_task(mark->pid, PIDTYPE_TGID))
			continue;
		__hlist_del(&mark->node);
		hlist_add_head(&mark->node, &stale);
	}
	raw_spin_unlock_irq(&own_lock);

	hlist_for_each_entry_safe(mark, next, &stale, node) {
		own_forget(mark);
		kwaitd_pool_free(mark);
	}
}

static void own_tidy_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(own_children); i++) {
		if (!hlist_empty(&own_children[i]))
			own_tidy(&own_children[i]);
		cond_resched();
	}
}

/* Reapers */

static struct pid *parent_pid(struct task_struct *p)
{
	return task_tgid(rcu_dereference_check(p->real_parent,
					       rcu_read_lock_any_held()));
}

/* Return: NULL also if it is not adopted. Context: RCU. */
static struct kwaitd_adoption *parent_of(struct task_struct *p)
{
	return reaper_find(parent_pid(p));
}

/* Are all its own children in the table? */
static bool is_active(struct kwaitd_adoption *a)
{
	/* Pairs with look_through(). */
	return smp_load_acquire(&a->seen) == atomic_read(&a->missed);
}

/* Return: the reaper that has p for an orphan, or NULL. Context: RCU. */
static struct kwaitd_adoption *orphan_of(struct task_struct *p)
{
	struct kwaitd_adoption *a = parent_of(p);

	if (!a || !is_active(a) || is_own(task_tgid(p), a))
		return NULL;
	return a;
}

/**
 * kwaitd_adopt_child() - whose child is this?
 * @p: a group leader
 * @reaper: thread group of a possible parent
 *
 * Context: RCU.
 * Return: whether it is @reaper's, own or orphan.
 */
bool kwaitd_adopt_child(struct task_struct *p, struct pid *reaper)
{
	return parent_pid(p) == reaper;
}

/**
 * kwaitd_adopt_orphan() - is it an adopted reaper's orphan?
 * @p: a group leader
 *
 * Context: RCU, as hooks are.
 */
bool kwaitd_adopt_orphan(struct task_struct *p)
{
	return orphan_of(p);
}

/**
 * kwaitd_adopt_grace_over() - of one orphan
 * @a: its reaper, and the reference that kwaitd_adopt_takes() took
 *
 * Context: any.
 */
void kwaitd_adopt_grace_over(struct kwaitd_adoption *a)
{
	atomic_dec(&a->grace);
	reaper_put(a);
}

/**
 * kwaitd_adopt_takes() - shall a process that has died be released?
 * @p: its group leader
 *
 * Context: notify hook.
 * Return: true if it is an orphan, and not given to its reaper for a while.
 */
bool kwaitd_adopt_takes(struct task_struct *p)
{
	struct kwaitd_adoption *a = orphan_of(p);

	if (!a || !READ_ONCE(kwaitd_live))
		return false;
	if (READ_ONCE(kwaitd_grace_ms)) {
		/* Without memory it stays a zombie until it is swept. */
		refcount_inc(&a->refs);
		atomic_inc(&a->grace);
		if (!kwaitd_grace_add(p, a))
			kwaitd_adopt_grace_over(a);
		return false;
	}
	atomic_long_inc(&a->orphans);
	kwaitd_count(KWAITD_ORPHANS);
	return true;
}

/**
 * kwaitd_adopt_swept() - count an orphan that was a zombie
 * @p: its group leader
 *
 * Context: notify hook.
 */
void kwaitd_adopt_swept(struct task_struct *p)
{
	struct kwaitd_adoption *a = parent_of(p);

	if (a)
		atomic_long_inc(&a->swept);
	kwaitd_count(KWAITD_SWEPT);
}

static int reaper_add(struct kwaitd_adoption *a)
{
	unsigned long flags;
	int err = 0;

	raw_spin_lock_irqsave(&reapers_lock, flags);
	if (reaper_find(a->pid)) {
		err = -EALREADY;
	} else {
		refcount_set(&a->refs, 1);
		a->id = ++last_id;
		hlist_add_head_rcu(&a->node, reaper_bucket(a->pid));
		list_add_tail_rcu(&a->list, &reapers);
		WRITE_ONCE(kwaitd_adopt_nr, kwaitd_adopt_nr + 1);
	}
	raw_spin_unlock_irqrestore(&reapers_lock, flags);
	if (!err)
		kwaitd_later(&tidy_work, TIDY);
	return err;
}

/* Who is not found any more, but may be looked at. adopt_mutex */
static struct kwaitd_adoption *gone;

static void reaper_del(struct kwaitd_adoption *a)
{
	raw_spin_lock_irq(&reapers_lock);
	hlist_del_rcu(&a->node);
	list_del_rcu(&a->list);
	WRITE_ONCE(kwaitd_adopt_nr, kwaitd_adopt_nr - 1);
	raw_spin_unlock_irq(&reapers_lock);
	WRITE_ONCE(a->ended, true);
	a->next = gone;
	gone = a;
}

/*
 * Let go of them, after one grace period for all: with auto_adopt many may have died.
 * Context: process context; sleeps.
 */
static void reapers_tidy(void)
{
	struct kwaitd_adoption *a;

	if (gone)
		synchronize_rcu();
	while ((a = gone)) {
		gone = a->next;
		put_pid(a->pid);
		reaper_put(a);
	}
	own_tidy_all();
}

/**
 * kwaitd_pid_next() - the next process id that is in use
 * @ns: in this pid namespace
 * @nr: in: from here on; out: what it is
 *
 * Context: RCU; what is returned outlives it only with a reference.
 * Return: NULL if there is none.
 */
struct pid *kwaitd_pid_next(struct pid_namespace *ns, int *nr)
{
	return idr_get_next(&ns->idr, nr);
}

static bool is_alive(struct task_struct *p)
{
	return atomic_read(&p->signal->live);
}

/*
 * Has its parent heard of its end, or is about to, with tasklist_lock held? It has
 * not when a tracer comes first; nor is it one when nothing but a leader has died,
 * which another thread that calls execve() puts away.
 */
static bool parent_knows(struct task_struct *p)
{
	int state;

	/* In this order: a tracer that goes while another of its threads waits for p */
	if (is_alive(p) || data_race(smp_load_acquire(&p->ptrace)))
		return false;
	state = peek(p->exit_state);
	return state && state != EXIT_TRACE && !delay_group_leader(p);
}

/*
 * Note all children of a reaper that are not in the table, but for those that were
 * zombies when it was adopted. By their numbers in its pid namespace, where all of
 * them have one, so that no lock is held for longer than one of them takes.
 */
static int look_through(struct kwaitd_adoption *a, u32 *own, u32 *zombies)
{
	struct pid_namespace *ns = ns_of_pid(a->pid);
	unsigned int missed = atomic_read(&a->missed);
	struct kwaitd_mark *mark = NULL;
	struct task_struct *p;
	struct pid *pid;
	int nr = 0;

	/*
	 * Fork hooks that have not seen that it is adopted, or have missed a child, are
	 * over then, and the children of them to be found below.
	 */
	synchronize_rcu();
	*own = 0;
	*zombies = 0;
	do {
		if (!mark)
			mark = kwaitd_pool_alloc();
		if (!mark)
			return -ENOMEM;
		rcu_read_lock();
		pid = kwaitd_pid_next(ns, &nr);
		p = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
		if (p && kwaitd_adopt_child(p, a->pid)) {
			if (!a->seen && parent_knows(p)) {
				++*zombies;
			} else {
				own_insert(&mark, pid, a);
				++*own;
			}
		}
		rcu_read_unlock();
		nr++;
		cond_resched();
	} while (pid);
	kwaitd_pool_free(mark);
	/* Who was about to hear of a child has then, past the notify hook. */
	synchronize_rcu();
	/* Pairs with is_active(). */
	smp_store_release(&a->seen, missed);
	return 0;
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
	a->pid = get_pid(pid);
	atomic_set(&a->missed, 1);

	err = mutex_lock_killable(&adopt_mutex);
	if (err)
		goto free;
	err = reaper_add(a);
	if (err)
		goto unlock;
	err = look_through(a, own, zombies);
	if (err) {
		reaper_del(a);
		reapers_tidy();
	}
	mutex_unlock(&adopt_mutex);
	return err;

unlock:
	mutex_unlock(&adopt_mutex);
free:
	put_pid(a->pid);
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
		err = is_active(a) ? 0 : -EAGAIN;
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
		if (a->id <= *id || !pid_vnr(a->pid))
			continue;
		p = pid_task(a->pid, PIDTYPE_TGID);
		if (!p)
			continue;
		*id = a->id;
		*reaper = (struct kwaitd_reaper) {
			.pid = pid_vnr(a->pid),
			.flags = (is_child_reaper(a->pid) ? KWAITD_REAPER_INIT : 0) |
				 (a->automatic ? KWAITD_REAPER_AUTO : 0) |
				 (is_active(a) ? 0 : KWAITD_REAPER_PAUSED),
			.orphans = atomic_long_read(&a->orphans),
			.swept = atomic_long_read(&a->swept),
			.own = atomic_read(&a->own),
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

/* For the births of namespaces that will be adopted. adopt_mutex held. */
static void refill_spares(void)
{
	struct kwaitd_adoption *a;

	if (!IS_ENABLED(CONFIG_PREEMPT_RT) || !READ_ONCE(kwaitd_auto_on))
		return;
	while (READ_ONCE(nr_spares) < SPARES) {
		a = kzalloc(sizeof(*a), GFP_KERNEL);
		if (!a)
			break;
		raw_spin_lock_irq(&reapers_lock);
		list_add(&a->list, &spares);
		nr_spares++;
		raw_spin_unlock_irq(&reapers_lock);
	}
}

static bool is_over(struct kwaitd_adoption *a)
{
	struct task_struct *p;
	bool over;

	rcu_read_lock();
	p = pid_task(a->pid, PIDTYPE_TGID);
	over = !p || !is_alive(p);
	rcu_read_unlock();
	return over;
}

/* Look again through those that were paused, and let go of those that have died. */
static void kwaitd_adopt_tidy(struct work_struct *work)
{
	struct kwaitd_adoption *a, *next;
	u32 own, zombies;

	mutex_lock(&adopt_mutex);
	/* adopt_mutex: nobody else deletes, and additions go to the end. */
	list_for_each_entry_safe(a, next, &reapers, list) {
		if (is_over(a))
			reaper_del(a);
		else if (!is_active(a))
			look_through(a, &own, &zombies);
	}
	reapers_tidy();
	refill_spares();
	if (kwaitd_adopt_any())
		kwaitd_later(&tidy_work, TIDY);
	mutex_unlock(&adopt_mutex);
}

/* Forks */

static void pause(struct kwaitd_adoption *a)
{
	atomic_inc(&a->missed);
	kwaitd_count(KWAITD_ADOPT_PAUSED);
	kwaitd_later(&tidy_work, 1);
}

/* Context: hooks. */
static struct kwaitd_adoption *adoption_alloc(void)
{
	struct kwaitd_adoption *a;
	unsigned long flags;

	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		return kzalloc(sizeof(*a), GFP_NOWAIT | __GFP_NOWARN);
	raw_spin_lock_irqsave(&reapers_lock, flags);
	a = list_first_entry_or_null(&spares, struct kwaitd_adoption, list);
	if (a) {
		list_del(&a->list);
		nr_spares--;
	}
	raw_spin_unlock_irqrestore(&reapers_lock, flags);
	kwaitd_later(&tidy_work, 1);
	return a;
}

/* It has not run yet, and so has no children. */
static void adopt_newborn(struct task_struct *child)
{
	struct kwaitd_adoption *a = adoption_alloc();

	if (!a) {
		kwaitd_count(KWAITD_ADOPT_FAILED);
		return;
	}
	a->pid = get_pid(task_tgid(child));
	a->automatic = true;
	/* There was nothing to look at. */
	a->seen = 1;
	atomic_set(&a->missed, a->seen);
	if (!reaper_add(a))
		return;
	/* Its pid can be seen by now, and somebody was quick to adopt it by hand. */
	put_pid(a->pid);
	kfree_rcu(a, rcu);
}

/*
 * Is the new child, of current or by CLONE_PARENT of its parent, an own one? Where it is
 * not known yet whether current is, it may be.
 */
static bool born_own(struct kwaitd_adoption *a)
{
	struct pid *pid = task_tgid(current);

	return pid == a->pid || !is_active(a) || is_own(pid, a);
}

/**
 * kwaitd_adopt_fork() - a process was created
 * @child: has not run yet
 * @cgrp: where it will be
 *
 * Context: fork hook.
 */
void kwaitd_adopt_fork(struct task_struct *child, struct cgroup *cgrp)
{
	struct kwaitd_adoption *a;
	struct kwaitd_mark *mark;

	if (!thread_group_leader(child))
		return;
	if (is_child_reaper(task_pid(child)) && READ_ONCE(kwaitd_live) &&
	    kwaitd_auto_wants(ns_of_pid(task_pid(child)), cgrp))
		adopt_newborn(child);
	if (!kwaitd_adopt_any())
		return;
	/* Also when the module is not quite loaded: /dev/kwaitd can be used before. */
	a = parent_of(child);
	if (!a || !born_own(a)) {
		kwaitd_origin_note(child);
		return;
	}
	mark = kwaitd_pool_get();
	if (!mark) {
		pause(a);
		return;
	}
	own_insert(&mark, task_tgid(child), a);
	if (mark)
		kwaitd_pool_put(mark);
}

/**
 * kwaitd_adopt_auto() - auto_adopt has changed
 *
 * Context: process context.
 */
void kwaitd_adopt_auto(void)
{
	kwaitd_later_now(&tidy_work);
}

unsigned long kwaitd_adopt_own(void)
{
	return atomic_long_read(&nr_own);
}

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
	list_for_each_entry_safe(a, next, &spares, list) {
		list_del(&a->list);
		kfree(a);
	}
}
