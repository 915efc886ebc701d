// SPDX-License-Identifier: GPL-2.0
/*
 * Marks: who was created detached.
 *
 * A thread's mark is its exit_signal, which for a thread means nothing: the
 * kernel sets -1 and tests only for >= 0, so -2 costs no memory, cannot leak,
 * dies with the thread, and execve() resets it along with what the thread is.
 *
 * A process's mark must survive its own execve() and its parent's death, and
 * both reset exit_signal. Where the kernel has signal_struct::autoreap to
 * itself that is the mark. Elsewhere marks are kept in a hash table, by the
 * struct pid of the thread group: execve() by whatever thread keeps it, and
 * the mark's reference keeps its address from being used again.
 *
 * Every mark of a living process holds a reference on the module: without the
 * hooks the process would end as a zombie that nobody waits for.
 *
 * A process that dies is released without having told anyone its exit status.
 * Who has a pidfd can still ask for it: for them the mark stays, as a record of
 * that (status.c).
 */
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "kwaitd.h"
#include "mark.h"
#include "trace.h"

#define THREAD_DETACHED (-2)

/* 100,000 marks make chains of six; 128 KiB, none where marks are native. */
#define TABLE_BITS 14

static struct hlist_head table[1 << TABLE_BITS];
atomic_long_t kwaitd_mark_live;		/* marks of living processes */
atomic_long_t kwaitd_mark_records;	/* of released ones */

/*
 * Protects table, and the marks in it. One lock, since fork and exit take
 * tasklist_lock, and for longer. Nests inside tasklist_lock, which interrupts
 * take for reading: never hold it with interrupts on.
 */
static DEFINE_RAW_SPINLOCK(table_lock);

static struct hlist_head *bucket(struct pid *pid)
{
	return &table[hash_ptr(pid, TABLE_BITS)];
}

/* table_lock held. */
static struct kwaitd_mark *mark_find(struct pid *pid)
{
	struct kwaitd_mark *mark;

	hlist_for_each_entry(mark, bucket(pid), node) {
		if (mark->pid == pid)
			return mark;
	}
	return NULL;
}

/* table_lock held. Return: NULL also if the process is being released. */
static struct kwaitd_mark *mark_find_live(struct task_struct *leader)
{
	struct kwaitd_mark *mark = mark_find(task_tgid(leader));

	return mark && !mark->released ? mark : NULL;
}

/*
 * Whoever asks this of a marked process sees its mark: it was made before the
 * process first ran. So an empty bucket, which is nearly every bucket, says no
 * without the lock.
 */
static bool surely_unmarked(struct task_struct *leader)
{
	return KWAITD_NATIVE_MARK || !atomic_long_read(&kwaitd_mark_live) ||
	       hlist_empty(bucket(task_tgid(leader)));
}

static bool mark_insert(struct task_struct *child)
{
	struct kwaitd_mark *mark;
	unsigned long flags;

	/* Fails only when the module is on its way out. */
	if (!try_module_get(THIS_MODULE))
		return false;
	mark = kwaitd_pool_get();
	if (!mark) {
		module_put(THIS_MODULE);
		return false;
	}
	*mark = (struct kwaitd_mark){ .pid = get_pid(task_tgid(child)) };
	raw_spin_lock_irqsave(&table_lock, flags);
	hlist_add_head(&mark->node, bucket(mark->pid));
	raw_spin_unlock_irqrestore(&table_lock, flags);
	atomic_long_inc(&kwaitd_mark_live);
	kwaitd_status_watch();
	return true;
}

/* A marked process is no more. table_lock not held. */
static void mark_end(void)
{
	atomic_long_dec(&kwaitd_mark_live);
	module_put(THIS_MODULE);
}

static bool mark_child(struct task_struct *child)
{
	/*
	 * exit_signal: nobody else writes it before the child has run, except
	 * reparent_leader() when CLONE_PARENT's parent dies right now, and then
	 * SIGCHLD: also good, since the notify hook or the kernel ignores it.
	 */
	if (!thread_group_leader(child)) {
		WRITE_ONCE(child->exit_signal, THREAD_DETACHED);
		kwaitd_count(KWAITD_MARKED_THREADS);
		return true;
	}
	if (!KWAITD_NATIVE_MARK && !signal_autoreap(child->signal) &&
	    !mark_insert(child)) {
		kwaitd_count(KWAITD_MARK_FAILED);
		return false;
	}
	if (KWAITD_NATIVE_MARK)
		signal_set_autoreap(child->signal);
	WRITE_ONCE(child->exit_signal, 0);
	kwaitd_count(KWAITD_MARKED_PROCESSES);
	return true;
}

/**
 * kwaitd_mark_fork() - current has a child or thread of a kind that matters
 * @child: visible to everyone, but has not run yet
 * @clone_flags: CLONE_DETACHED, CLONE_AUTOREAP, CLONE_NNP or CLONE_PARENT is set
 *
 * If it cannot be marked the child is an ordinary one.
 *
 * Context: fork hook; preemption off, no locks held.
 */
void kwaitd_mark_fork(struct task_struct *child, u64 clone_flags)
{
	bool ok;

	if (task_works_for_kernel(child))
		return;
	/* A flag of its own in an atomic word, and the child has not run. */
	if (clone_flags & CLONE_NNP)
		task_set_no_new_privs(child);
	if (clone_flags & (CLONE_DETACHED | CLONE_AUTOREAP)) {
		ok = READ_ONCE(kwaitd_live) && mark_child(child);
		/* Its parent asked not to be told, and now has to be. */
		if (!ok && (clone_flags & CLONE_AUTOREAP) &&
		    !signal_autoreap(child->signal))
			WRITE_ONCE(child->exit_signal, SIGCHLD);
		trace_kwaitd_mark(child, ok);
	} else if ((clone_flags & CLONE_PARENT) && thread_group_leader(child) &&
		   kwaitd_mark_test(current->group_leader)) {
		/*
		 * clone(CLONE_PARENT) gave it the exit signal of its sibling, and
		 * the parent would never hear of it. A kernel that keeps the marks
		 * itself refuses the call.
		 */
		WRITE_ONCE(child->exit_signal, SIGCHLD);
	}
}

/**
 * kwaitd_mark_test() - is this process in the table of detached ones?
 * @leader: its group leader, not yet released
 *
 * Context: any, tasklist_lock may be held.
 * Return: always false where the kernel keeps the mark.
 */
bool kwaitd_mark_test(struct task_struct *leader)
{
	unsigned long flags;
	bool found;

	if (surely_unmarked(leader))
		return false;
	raw_spin_lock_irqsave(&table_lock, flags);
	found = mark_find_live(leader);
	raw_spin_unlock_irqrestore(&table_lock, flags);
	return found;
}

/**
 * kwaitd_mark_test_thread() - was this thread created detached?
 * @p: not a group leader
 *
 * Context: any.
 */
bool kwaitd_mark_test_thread(const struct task_struct *p)
{
	return p->exit_signal == THREAD_DETACHED;
}

/*
 * Has someone a pidfd? Where the struct pid does not say, whoever has a reference
 * is taken for one: but for the task, which has its own until it is released,
 * through free_pid() and a grace period, and the mark.
 */
static bool pid_held(struct pid *pid)
{
	return KWAITD_NATIVE_HANGUP ? pid_has_pidfd(pid) :
				      refcount_read(&pid->count) > 2;
}

/**
 * kwaitd_mark_release() - a process is about to be released
 * @leader: its group leader
 *
 * Context: hooks; preemption off, tasklist_lock may be held.
 * Return: whether it was in the table of detached ones. If it was it is no more,
 * but for the record of its death.
 */
bool kwaitd_mark_release(struct task_struct *leader)
{
	struct kwaitd_mark *mark;
	unsigned long flags;
	bool keep = false;

	if (surely_unmarked(leader))
		return false;
	raw_spin_lock_irqsave(&table_lock, flags);
	mark = mark_find_live(leader);
	if (mark) {
		/* What pidfs_exit() tells since 6.15, no more and no less. */
		mark->exit_code = kwaitd_exit_code(leader);
		mark->cgroupid = task_cgroup_id(leader);
		mark->released = true;
		keep = pid_held(mark->pid);
		mark->hanging_up = keep && !KWAITD_NATIVE_HANGUP;
		if (!keep)
			__hlist_del(&mark->node);
	}
	raw_spin_unlock_irqrestore(&table_lock, flags);
	if (!mark)
		return false;
	if (keep) {
		atomic_long_inc(&kwaitd_mark_records);
		kwaitd_status_keep(mark);
	} else {
		/* Not the last reference, since the task has one. */
		put_pid(mark->pid);
		kwaitd_pool_put(mark);
	}
	mark_end();
	return true;
}

/*
 * table_lock held. Marks nobody needs: of processes that died while the hooks
 * were disarmed, and records nobody can ask for, since the only reference left is
 * their own: pidfd_open() finds no dead process.
 */
static bool mark_stale(const struct kwaitd_mark *mark)
{
	if (!mark->released)
		return !pid_has_task(mark->pid, PIDTYPE_TGID);
	return !mark->hanging_up && refcount_read(&mark->pid->count) == 1;
}

static void sweep_bucket(struct hlist_head *head)
{
	struct kwaitd_mark *mark;
	struct hlist_node *next;
	HLIST_HEAD(stale);

	raw_spin_lock_irq(&table_lock);
	hlist_for_each_entry_safe(mark, next, head, node) {
		if (mark_stale(mark)) {
			__hlist_del(&mark->node);
			hlist_add_head(&mark->node, &stale);
		}
	}
	raw_spin_unlock_irq(&table_lock);

	hlist_for_each_entry_safe(mark, next, &stale, node) {
		if (mark->released)
			atomic_long_dec(&kwaitd_mark_records);
		else
			mark_end();
		put_pid(mark->pid);
		kwaitd_pool_free(mark);
	}
}

/**
 * kwaitd_mark_sweep() - free the marks that nobody needs any more
 *
 * Context: process context; may sleep.
 */
void kwaitd_mark_sweep(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (!hlist_empty(&table[i]))
			sweep_bucket(&table[i]);
		cond_resched();
	}
}

/*
 * table_lock held. A process that has not been released, as far as the mark knows:
 * it has ended when its pidfd says EPOLLIN.
 */
static int status_of_task(struct pid *pid, u64 *cgroupid, s32 *exit_code)
{
	struct task_struct *p;
	int err = -EAGAIN;

	rcu_read_lock();
	p = pid_task(pid, PIDTYPE_TGID);
	if (!p) {
		err = -ENODATA;
		/* exit_code comes before it. */
	} else if (data_race(smp_load_acquire(&p->exit_state)) &&
		   !delay_group_leader(p)) {
		*cgroupid = task_cgroup_id(p);
		*exit_code = kwaitd_exit_code(p);
		err = 0;
	}
	rcu_read_unlock();
	return err;
}

/**
 * kwaitd_mark_status() - how did a detached process end?
 * @pid: its thread group's; the caller has a reference
 * @cgroupid: set to its cgroup's, as in &struct pidfd_info
 * @exit_code: set to its exit status, as wait4() would have had it
 *
 * Context: any.
 * Return: 0; -EAGAIN if it is alive; -ENODATA if nothing is known of it.
 */
int kwaitd_mark_status(struct pid *pid, u64 *cgroupid, s32 *exit_code)
{
	struct kwaitd_mark *mark;
	unsigned long flags;
	int err = 0;

	raw_spin_lock_irqsave(&table_lock, flags);
	mark = mark_find(pid);
	if (!mark) {
		err = -ENODATA;
	} else if (!mark->released) {
		err = status_of_task(pid, cgroupid, exit_code);
	} else {
		*cgroupid = mark->cgroupid;
		*exit_code = mark->exit_code;
	}
	raw_spin_unlock_irqrestore(&table_lock, flags);
	return err;
}

/**
 * kwaitd_mark_known() - was this process created detached?
 * @pid: its thread group's; the caller has a reference
 *
 * Context: any.
 * Return: always false where the kernel keeps the mark; else also true if it has been
 * released, for as long as there is a record of it.
 */
bool kwaitd_mark_known(struct pid *pid)
{
	unsigned long flags;
	bool known;

	if (hlist_empty(bucket(pid)))
		return false;
	raw_spin_lock_irqsave(&table_lock, flags);
	known = mark_find(pid);
	raw_spin_unlock_irqrestore(&table_lock, flags);
	return known;
}

/**
 * kwaitd_mark_gone() - has a detached process been released?
 * @pid: its thread group's; the caller has a reference
 *
 * Context: any.
 * Return: false also if nothing is known of it.
 */
bool kwaitd_mark_gone(struct pid *pid)
{
	struct kwaitd_mark *mark;
	unsigned long flags;
	bool gone;

	raw_spin_lock_irqsave(&table_lock, flags);
	mark = mark_find(pid);
	gone = mark && mark->released && !pid_has_task(mark->pid, PIDTYPE_PID);
	raw_spin_unlock_irqrestore(&table_lock, flags);
	return gone;
}

/* Only records are left: other marks have a reference on the module. */
void kwaitd_mark_exit(void)
{
	struct kwaitd_mark *mark;
	struct hlist_node *next;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		hlist_for_each_entry_safe(mark, next, &table[i], node) {
			put_pid(mark->pid);
			kwaitd_pool_free(mark);
		}
	}
}
