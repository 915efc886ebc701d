// SPDX-License-Identifier: GPL-2.0
/*
 * Marks: who was created detached.
 *
 * A thread's mark is its exit_signal, which for a thread means nothing: the kernel sets it
 * to -1 and tests only for >= 0. So -2 costs no memory, cannot leak, and dies with the
 * thread. An execve() resets it, and makes the thread a process that is not detached.
 *
 * The mark of a process must survive its own execve() and its parent's death, and both
 * reset exit_signal. Where the kernel has signal_struct::autoreap to itself, that bit is
 * the mark. Elsewhere the marks are kept in a table.
 *
 * A marked process is released without having told anyone its exit status. Who has a pidfd
 * can still ask for it. For them the mark stays in the table, as a record (status.c).
 *
 * What this file promises:
 *
 *  - A child has its mark before it first runs, and keeps it until it is released.
 *  - Each mark of a living process holds a reference on the module: without the hooks the
 *    process would end as a zombie that nobody waits for.
 *
 * Locking: the table's lock, which protects the marks and records in it, too.
 */
#include <linux/module.h>

#include "compat.h"
#include "count.h"
#include "mark.h"
#include "param.h"
#include "pool.h"
#include "task.h"
#include "trace.h"

#define THREAD_DETACHED (-2)

static_assert(sizeof(struct kwaitd_mark) <= KWAITD_POOL_SIZE);
static_assert(offsetof(struct kwaitd_mark, entry) == 0);

/* 100,000 marks make chains of six. 128 KiB; nothing is in it where marks are native. */
#define TABLE_BITS 14

static struct hlist_head buckets[1 << TABLE_BITS];
static struct kwaitd_pidtab marks = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(marks.lock),
	.bits = TABLE_BITS,
	.buckets = buckets,
};

atomic_long_t kwaitd_mark_live;
atomic_long_t kwaitd_mark_records;

static struct kwaitd_mark *mark_of(struct kwaitd_entry *entry)
{
	return container_of(entry, struct kwaitd_mark, entry);
}

/* Lock held. */
static struct kwaitd_mark *mark_find(struct pid *pid)
{
	struct kwaitd_entry *entry = kwaitd_pidtab_find(&marks, pid);

	return entry ? mark_of(entry) : NULL;
}

/* Lock held. Return: NULL also if the process is being released. */
static struct kwaitd_mark *mark_find_live(struct task_struct *leader)
{
	struct kwaitd_mark *mark = mark_find(task_tgid(leader));

	return mark && !mark->released ? mark : NULL;
}

/*
 * Whoever asks this of a marked process sees its mark, which was made before the process
 * first ran. So an empty bucket, as nearly every bucket is, says no without the lock.
 */
static bool surely_unmarked(struct task_struct *leader)
{
	return KWAITD_NATIVE_MARK || !atomic_long_read(&kwaitd_mark_live) ||
	       kwaitd_pidtab_lacks(&marks, task_tgid(leader));
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
	*mark = (struct kwaitd_mark){ .entry.pid = get_pid(task_tgid(child)) };
	raw_spin_lock_irqsave(&marks.lock, flags);
	kwaitd_pidtab_add(&marks, &mark->entry);
	raw_spin_unlock_irqrestore(&marks.lock, flags);
	atomic_long_inc(&kwaitd_mark_live);
	return true;
}

/* A marked process is no more. Lock not held. */
static void mark_end(void)
{
	atomic_long_dec(&kwaitd_mark_live);
	module_put(THIS_MODULE);
}

static bool mark_child(struct task_struct *child)
{
	/*
	 * Nobody else writes exit_signal before the child has run, with one exception:
	 * reparent_leader(), when the parent that CLONE_PARENT chose dies right now. It
	 * writes SIGCHLD. That does no harm, since the notify hook, or the kernel where
	 * the mark is native, ignores the signal.
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
	/* Set atomically, in a word that others write, too. The child has not run yet. */
	if (clone_flags & CLONE_NNP)
		task_set_no_new_privs(child);
	if (clone_flags & (CLONE_DETACHED | CLONE_AUTOREAP)) {
		ok = READ_ONCE(kwaitd_live) && mark_child(child);
		/* The parent asked not to be told of the child's death, and must be. */
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
	raw_spin_lock_irqsave(&marks.lock, flags);
	found = mark_find_live(leader);
	raw_spin_unlock_irqrestore(&marks.lock, flags);
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
 * Has someone a pidfd? Where the struct pid does not say, every reference is taken for a
 * pidfd's, but for two: the mark's, and the task's, which the task keeps until free_pid()
 * and a grace period have followed its release.
 */
static bool pid_held(struct pid *pid)
{
	return KWAITD_NATIVE_HANGUP ? pid_has_pidfd(pid) :
				      refcount_read(&pid->count) > 2;
}

/**
 * kwaitd_mark_release() - a process is about to be released
 * @leader: its group leader
 * @record: set to the record of its end, if somebody can ask for that; else to NULL
 *
 * Context: hooks; preemption off, tasklist_lock may be held.
 * Return: whether the process had a mark. It has none any more.
 */
bool kwaitd_mark_release(struct task_struct *leader, struct kwaitd_mark **record)
{
	struct kwaitd_mark *mark;
	unsigned long flags;
	bool keep = false;

	*record = NULL;
	if (surely_unmarked(leader))
		return false;
	raw_spin_lock_irqsave(&marks.lock, flags);
	mark = mark_find_live(leader);
	if (mark) {
		/* What pidfs_exit() tells since 6.15, no more and no less. */
		mark->exit_code = kwaitd_exit_code(leader);
		mark->cgroupid = task_cgroup_id(leader);
		mark->released = true;
		keep = pid_held(mark->entry.pid);
		mark->hanging_up = keep && !KWAITD_NATIVE_HANGUP;
		if (!keep)
			kwaitd_pidtab_del(&mark->entry);
	}
	raw_spin_unlock_irqrestore(&marks.lock, flags);
	if (!mark)
		return false;
	if (keep) {
		atomic_long_inc(&kwaitd_mark_records);
		*record = mark;
	} else {
		/* Not the last reference, since the task has one. */
		put_pid(mark->entry.pid);
		kwaitd_pool_put(mark);
	}
	mark_end();
	return true;
}

/*
 * Two kinds of marks are stale. One is that of a process that died while the hooks were
 * disarmed. The other is a record that nobody can ask for, since its own reference on the
 * pid is the only one left: pidfd_open() does not find a dead process. Lock held.
 */
static bool mark_stale(struct kwaitd_entry *entry)
{
	struct kwaitd_mark *mark = mark_of(entry);

	if (!mark->released)
		return !pid_has_task(entry->pid, PIDTYPE_TGID);
	return !mark->hanging_up && refcount_read(&entry->pid->count) == 1;
}

static void mark_drop(struct kwaitd_entry *entry)
{
	struct kwaitd_mark *mark = mark_of(entry);

	if (mark->released)
		atomic_long_dec(&kwaitd_mark_records);
	else
		mark_end();
	put_pid(entry->pid);
	kwaitd_pool_free(mark);
}

/**
 * kwaitd_mark_tidy() - free the marks and records that nobody needs any more
 *
 * Context: process context; may sleep.
 */
void kwaitd_mark_tidy(void)
{
	kwaitd_pidtab_tidy(&marks, mark_stale, mark_drop);
}

/*
 * Of a process that has not been released, as far as the mark knows. It has ended when its
 * pidfd says EPOLLIN. Lock held.
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

	raw_spin_lock_irqsave(&marks.lock, flags);
	mark = mark_find(pid);
	if (!mark) {
		err = -ENODATA;
	} else if (!mark->released) {
		err = status_of_task(pid, cgroupid, exit_code);
	} else {
		*cgroupid = mark->cgroupid;
		*exit_code = mark->exit_code;
	}
	raw_spin_unlock_irqrestore(&marks.lock, flags);
	return err;
}

/**
 * kwaitd_mark_known() - was this process created detached?
 * @pid: its thread group's; the caller has a reference
 *
 * Context: any.
 * Return: always false where the kernel keeps the mark. Else true also for a process that
 * has been released, for as long as there is a record of it.
 */
bool kwaitd_mark_known(struct pid *pid)
{
	unsigned long flags;
	bool known;

	if (kwaitd_pidtab_lacks(&marks, pid))
		return false;
	raw_spin_lock_irqsave(&marks.lock, flags);
	known = mark_find(pid);
	raw_spin_unlock_irqrestore(&marks.lock, flags);
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

	raw_spin_lock_irqsave(&marks.lock, flags);
	mark = mark_find(pid);
	gone = mark && mark->released && !pid_has_task(pid, PIDTYPE_PID);
	raw_spin_unlock_irqrestore(&marks.lock, flags);
	return gone;
}

/* Of whatever is left, when the module goes */
static bool mark_useless(struct kwaitd_entry *entry)
{
	return true;
}

/**
 * kwaitd_mark_exit() - free the records
 *
 * Context: module exit. There are no marks any more: each has a reference on the module.
 */
void kwaitd_mark_exit(void)
{
	kwaitd_pidtab_tidy(&marks, mark_useless, mark_drop);
}
