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
 * Every mark in the table holds a reference on the module: without the hooks
 * its process would end as a zombie that nobody waits for.
 */
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "kwaitd.h"
#include "trace.h"

#define THREAD_DETACHED (-2)

struct kwaitd_mark {
	struct hlist_node node;
	struct pid *pid;
};

/* 100,000 marks make chains of six; 128 KiB, none where marks are native. */
#define TABLE_BITS 14

static struct hlist_head table[1 << TABLE_BITS];
static atomic_long_t live;
static struct kmem_cache *mark_cache;

/*
 * Protects table. One lock, since fork and exit take tasklist_lock, and for
 * longer. Nests inside tasklist_lock, which interrupts take for reading:
 * never hold it with interrupts on.
 */
static DEFINE_RAW_SPINLOCK(table_lock);

/*
 * PREEMPT_RT: handlers cannot call the slab allocator, so each CPU has marks in
 * store, and kwaitd/N keeps them between LOW and HIGH. Only touched on that CPU
 * with preemption off, and never from an interrupt.
 */
#define POOL_LOW 128
#define POOL_TARGET 256
#define POOL_HIGH 512

struct mark_pool {
	struct hlist_head free;
	unsigned int count;
	bool wanting;		/* kwaitd was asked to bring it to TARGET */
};

static DEFINE_PER_CPU(struct mark_pool, pool);

static bool pooled(void)
{
	return IS_ENABLED(CONFIG_PREEMPT_RT) && !KWAITD_NATIVE_MARK;
}

static void pool_check(struct mark_pool *mp)
{
	if (mp->wanting || (mp->count >= POOL_LOW && mp->count <= POOL_HIGH))
		return;
	mp->wanting = true;
	kwaitd_reaper_wake();
}

static struct kwaitd_mark *pool_get(struct mark_pool *mp)
{
	struct kwaitd_mark *mark;

	mark = hlist_entry_safe(mp->free.first, struct kwaitd_mark, node);
	if (mark) {
		__hlist_del(&mark->node);
		mp->count--;
	}
	return mark;
}

static void pool_put(struct mark_pool *mp, struct kwaitd_mark *mark)
{
	hlist_add_head(&mark->node, &mp->free);
	mp->count++;
}

static struct kwaitd_mark *mark_alloc(void)
{
	struct mark_pool *mp = this_cpu_ptr(&pool);
	struct kwaitd_mark *mark;

	if (!pooled())
		return kmem_cache_alloc(mark_cache, GFP_NOWAIT | __GFP_NOWARN);
	mark = pool_get(mp);
	pool_check(mp);
	return mark;
}

static void mark_free(struct kwaitd_mark *mark)
{
	struct mark_pool *mp = this_cpu_ptr(&pool);

	if (!pooled()) {
		kmem_cache_free(mark_cache, mark);
		return;
	}
	pool_put(mp, mark);
	pool_check(mp);
}

/**
 * kwaitd_mark_pool_wanting() - should kwaitd_mark_pool_refill() be called?
 *
 * Context: bound to this CPU.
 */
bool kwaitd_mark_pool_wanting(void)
{
	return this_cpu_read(pool.wanting);
}

/**
 * kwaitd_mark_pool_refill() - bring this CPU's store of marks to its size
 *
 * Without memory it stays what it is until it is asked for the next time.
 *
 * Context: kwaitd; may sleep.
 */
void kwaitd_mark_pool_refill(void)
{
	struct mark_pool *mp = raw_cpu_ptr(&pool);
	struct kwaitd_mark *mark;

	if (!pooled())
		return;
	while (READ_ONCE(mp->count) < POOL_TARGET) {
		mark = kmem_cache_alloc(mark_cache, GFP_KERNEL);
		if (!mark)
			break;
		preempt_disable();
		pool_put(mp, mark);
		preempt_enable();
	}
	while (READ_ONCE(mp->count) > POOL_TARGET) {
		preempt_disable();
		mark = pool_get(mp);
		preempt_enable();
		kmem_cache_free(mark_cache, mark);
	}
	WRITE_ONCE(mp->wanting, false);
}

static struct hlist_head *bucket(struct task_struct *leader)
{
	return &table[hash_ptr(task_tgid(leader), TABLE_BITS)];
}

/* table_lock held. */
static struct kwaitd_mark *mark_find(struct task_struct *leader)
{
	struct kwaitd_mark *mark;

	hlist_for_each_entry(mark, bucket(leader), node) {
		if (mark->pid == task_tgid(leader))
			return mark;
	}
	return NULL;
}

/*
 * Whoever asks this of a marked process sees its mark: it was made before the
 * process first ran. So an empty bucket, which is nearly every bucket, says no
 * without the lock.
 */
static bool surely_unmarked(struct task_struct *leader)
{
	return KWAITD_NATIVE_MARK || !atomic_long_read(&live) ||
	       hlist_empty(bucket(leader));
}

static bool mark_insert(struct task_struct *child)
{
	struct kwaitd_mark *mark;
	unsigned long flags;

	/* Fails only when the module is on its way out. */
	if (!try_module_get(THIS_MODULE))
		return false;
	mark = mark_alloc();
	if (!mark) {
		module_put(THIS_MODULE);
		return false;
	}
	mark->pid = get_pid(task_tgid(child));
	raw_spin_lock_irqsave(&table_lock, flags);
	hlist_add_head(&mark->node, bucket(child));
	raw_spin_unlock_irqrestore(&table_lock, flags);
	atomic_long_inc(&live);
	return true;
}

static void mark_child(struct task_struct *child)
{
	bool ok = true;

	/*
	 * exit_signal: nobody else writes it before the child has run, except
	 * reparent_leader() when CLONE_PARENT's parent dies right now, and then
	 * SIGCHLD: also good, since the notify hook or the kernel ignores it.
	 */
	if (!thread_group_leader(child)) {
		WRITE_ONCE(child->exit_signal, THREAD_DETACHED);
		kwaitd_count(KWAITD_MARKED_THREADS);
	} else if (KWAITD_NATIVE_MARK || mark_insert(child)) {
		signal_set_autoreap(child->signal);
		WRITE_ONCE(child->exit_signal, 0);
		kwaitd_count(KWAITD_MARKED_PROCESSES);
	} else {
		kwaitd_count(KWAITD_MARK_FAILED);
		ok = false;
	}
	trace_kwaitd_mark(child, ok);
}

/**
 * kwaitd_mark_fork() - current has a child or thread of a kind that matters
 * @child: visible to everyone, but has not run yet
 * @clone_flags: CLONE_DETACHED or CLONE_PARENT is set
 *
 * Without memory for the mark the child is an ordinary one.
 *
 * Context: fork hook; preemption off, no locks held.
 */
void kwaitd_mark_fork(struct task_struct *child, u64 clone_flags)
{
	if (clone_flags & CLONE_DETACHED) {
		if (READ_ONCE(kwaitd_live) && !(child->flags &
		    (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)))
			mark_child(child);
	} else if (thread_group_leader(child) &&
		   kwaitd_mark_test(current->group_leader)) {
		/*
		 * CLONE_PARENT gave it the exit signal of its sibling, and the
		 * parent would never hear of it. A kernel that keeps the marks
		 * itself refuses the clone().
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
	found = mark_find(leader);
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

/**
 * kwaitd_mark_drop() - take a process out of the table of detached ones
 * @leader: its group leader, about to be released
 *
 * Context: hooks; preemption off, tasklist_lock may be held.
 * Return: whether it was there.
 */
bool kwaitd_mark_drop(struct task_struct *leader)
{
	struct kwaitd_mark *mark;
	unsigned long flags;

	if (surely_unmarked(leader))
		return false;
	raw_spin_lock_irqsave(&table_lock, flags);
	mark = mark_find(leader);
	if (mark)
		__hlist_del(&mark->node);
	raw_spin_unlock_irqrestore(&table_lock, flags);
	if (!mark)
		return false;
	/* Never the last reference, since the task has one: nothing is freed. */
	put_pid(mark->pid);
	mark_free(mark);
	atomic_long_dec(&live);
	module_put(THIS_MODULE);
	return true;
}

/**
 * kwaitd_mark_live() - how many processes are in the table
 *
 * Context: any.
 */
unsigned long kwaitd_mark_live(void)
{
	return atomic_long_read(&live);
}

int kwaitd_mark_init(void)
{
	if (KWAITD_NATIVE_MARK)
		return 0;
	mark_cache = KMEM_CACHE(kwaitd_mark, 0);
	return mark_cache ? 0 : -ENOMEM;
}

/* No marks are left: each had a reference on the module. */
void kwaitd_mark_exit(void)
{
	struct kwaitd_mark *mark;
	struct hlist_node *next;
	int cpu;

	for_each_possible_cpu(cpu) {
		hlist_for_each_entry_safe(mark, next,
					  &per_cpu(pool.free, cpu), node)
			kmem_cache_free(mark_cache, mark);
	}
	kmem_cache_destroy(mark_cache);
}
