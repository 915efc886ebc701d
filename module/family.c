// SPDX-License-Identifier: GPL-2.0
/*
 * The own children of adopted reapers: a table of them.
 *
 * A process whose real_parent is an adopted reaper is either an own child of the reaper, or
 * an orphan that the reaper was given. The kernel does not remember which. So the own
 * children are kept in a table, and whoever is not in the table is an orphan. Own children
 * are the side to keep book of, because they are few.
 *
 * What this file promises:
 *
 *  - An own child is in the table before it first runs, if the fork hook sees it; or from
 *    kwaitd_family_look() on, if the reaper had it before.
 *  - Where there is no memory to note one, its family is incomplete, and nobody in it is
 *    taken for an orphan, until the next kwaitd_family_look().
 *
 * Locking: the table's lock, which also protects child->family. The references of
 * children keep their families.
 */
#include <linux/slab.h>

#include "compat.h"
#include "family.h"
#include "pidtab.h"
#include "pool.h"
#include "task.h"

struct child {
	struct kwaitd_entry entry;
	struct kwaitd_family *family;	/* a reference */
};

static_assert(sizeof(struct child) <= KWAITD_POOL_SIZE);

#define TABLE_BITS 10

static struct hlist_head buckets[1 << TABLE_BITS];
static struct kwaitd_pidtab children = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(children.lock),
	.bits = TABLE_BITS,
	.buckets = buckets,
};

static atomic_long_t nr_children;

static struct child *child_of(struct kwaitd_entry *entry)
{
	return container_of(entry, struct child, entry);
}

/**
 * kwaitd_family_parent() - who is told of the death of a process
 * @p: its group leader
 *
 * Context: RCU, as hooks are.
 * Return: the thread group of its real_parent.
 */
struct pid *kwaitd_family_parent(struct task_struct *p)
{
	return task_tgid(rcu_dereference_check(p->real_parent,
					       rcu_read_lock_any_held()));
}

/**
 * kwaitd_family_has() - is a process an own child of the reaper?
 * @f: the reaper
 * @pid: the thread group of the process
 *
 * Context: any.
 */
bool kwaitd_family_has(struct kwaitd_family *f, struct pid *pid)
{
	struct kwaitd_entry *entry;
	unsigned long flags;
	bool has;

	raw_spin_lock_irqsave(&children.lock, flags);
	entry = kwaitd_pidtab_find(&children, pid);
	has = entry && child_of(entry)->family == f;
	raw_spin_unlock_irqrestore(&children.lock, flags);
	return has;
}

static void child_leave_family(struct child *child)
{
	if (!child->family)
		return;
	atomic_dec(&child->family->own);
	kwaitd_family_put(child->family);
}

/*
 * Note the process @pid as an own child: in what @spare points to, which is NULL then; or
 * in the entry that the process has already, as the child of an earlier reaper.
 */
static void child_note(struct kwaitd_family *f, struct pid *pid, struct child **spare)
{
	struct kwaitd_entry *entry;
	struct child *child;
	unsigned long flags;

	raw_spin_lock_irqsave(&children.lock, flags);
	entry = kwaitd_pidtab_find(&children, pid);
	if (entry) {
		child = child_of(entry);
	} else {
		child = *spare;
		*spare = NULL;
		*child = (struct child){ .entry.pid = get_pid(pid) };
		kwaitd_pidtab_add(&children, &child->entry);
		atomic_long_inc(&nr_children);
	}
	if (child->family != f) {
		child_leave_family(child);
		kwaitd_family_get(f);
		atomic_inc(&f->own);
		child->family = f;
	}
	raw_spin_unlock_irqrestore(&children.lock, flags);
}

/* Give up what a child has, but for its memory. It is in the table no more. */
static void child_end(struct child *child)
{
	child_leave_family(child);
	atomic_long_dec(&nr_children);
	put_pid(child->entry.pid);
}

/**
 * kwaitd_family_born() - the reaper has a new own child
 * @f: the reaper
 * @child: the child, which has not run yet
 *
 * Context: fork hook.
 * Return: false if there is no memory. The family is incomplete then.
 */
bool kwaitd_family_born(struct kwaitd_family *f, struct task_struct *child)
{
	struct child *spare = kwaitd_pool_get();

	if (!spare) {
		atomic_inc(&f->missed);
		return false;
	}
	child_note(f, task_tgid(child), &spare);
	if (spare)
		kwaitd_pool_put(spare);
	return true;
}

/**
 * kwaitd_family_released() - a process is about to be released
 * @leader: its group leader
 *
 * Context: release hook.
 */
void kwaitd_family_released(struct task_struct *leader)
{
	struct pid *pid = task_tgid(leader);
	struct kwaitd_entry *entry;
	unsigned long flags;

	/* Its own entry was made before it first ran, or when it had run for long. */
	if (!atomic_long_read(&nr_children) || kwaitd_pidtab_lacks(&children, pid))
		return;
	raw_spin_lock_irqsave(&children.lock, flags);
	entry = kwaitd_pidtab_find(&children, pid);
	if (entry)
		kwaitd_pidtab_del(entry);
	raw_spin_unlock_irqrestore(&children.lock, flags);
	if (!entry)
		return;
	child_end(child_of(entry));
	kwaitd_pool_put(child_of(entry));
}

/*
 * Has the parent of a process heard of its end, or is about to, with tasklist_lock held?
 * Not if a tracer is told first. And not if only the leader of the process has died: the
 * process lives on, or another thread calls execve() and puts the leader away.
 */
static bool parent_knows(struct task_struct *p)
{
	int state;

	/* In this order: a tracer may go while another of its threads waits for p. */
	if (atomic_read(&p->signal->live) || data_race(smp_load_acquire(&p->ptrace)))
		return false;
	state = peek(p->exit_state);
	return state && state != EXIT_TRACE && !delay_group_leader(p);
}

/**
 * kwaitd_family_look() - note the children that the reaper has and that are not noted
 * @f: the reaper
 * @own: set to how many children it has
 * @zombies: set to how many more were zombies, at the first look: they may be orphans,
 * and the reaper knows of them
 *
 * The processes of the reaper's pid namespace are looked at by their numbers, so that no
 * lock is held for longer than one of them takes. All its children have a number there.
 *
 * Context: process context; sleeps; one at a time.
 * Return: 0, and the family is complete unless a child was missed meanwhile; or -ENOMEM.
 */
int kwaitd_family_look(struct kwaitd_family *f, u32 *own, u32 *zombies)
{
	struct pid_namespace *ns = ns_of_pid(f->pid);
	unsigned int missed = atomic_read(&f->missed);
	struct child *spare = NULL;
	struct task_struct *p;
	struct pid *pid;
	int nr = 0;

	/*
	 * Wait for fork hooks that have not seen that the reaper is adopted, and for those
	 * that have missed a child. Their children are found below.
	 */
	synchronize_rcu();
	*own = 0;
	*zombies = 0;
	do {
		if (!spare)
			spare = kwaitd_pool_alloc();
		if (!spare)
			return -ENOMEM;
		rcu_read_lock();
		pid = pid_next(ns, &nr);
		p = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
		if (p && kwaitd_family_parent(p) == f->pid) {
			if (!f->seen && parent_knows(p)) {
				++*zombies;
			} else {
				child_note(f, pid, &spare);
				++*own;
			}
		}
		rcu_read_unlock();
		nr++;
		cond_resched();
	} while (pid);
	kwaitd_pool_free(spare);
	/* Wait for those that have seen a child dead, to be past the notify hook. */
	synchronize_rcu();
	/* Pairs with kwaitd_family_complete(). */
	smp_store_release(&f->seen, missed);
	return 0;
}

/*
 * Stale are children that were released past the hook, or while the look went on, and
 * those whose reaper is adopted no longer. Lock held.
 */
static bool child_stale(struct kwaitd_entry *entry)
{
	return READ_ONCE(child_of(entry)->family->ended) ||
	       !pid_has_task(entry->pid, PIDTYPE_TGID);
}

static void child_drop(struct kwaitd_entry *entry)
{
	child_end(child_of(entry));
	kwaitd_pool_free(child_of(entry));
}

/**
 * kwaitd_family_tidy() - forget the children that are none any more
 *
 * Context: process context; may sleep.
 */
void kwaitd_family_tidy(void)
{
	kwaitd_pidtab_tidy(&children, child_stale, child_drop);
}

/**
 * kwaitd_family_count() - how many own children all adopted reapers have
 *
 * Context: any.
 */
unsigned long kwaitd_family_count(void)
{
	return atomic_long_read(&nr_children);
}
