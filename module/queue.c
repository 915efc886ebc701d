// SPDX-License-Identifier: GPL-2.0
/*
 * The queues: every CPU has one, of tasks that died there and have yet to be released.
 *
 * A task queues itself on the CPU it dies on, as its last act in exit_notify(). By then
 * the task is EXIT_DEAD and off every list but those release_task() takes it from, so
 * nobody else can want to release it. It still goes on to its last schedule().
 * release_task() does not mind: wait4() releases zombies in that state as well.
 *
 * What this file promises:
 *
 *  - A task that was added is taken out exactly once, by whoever is first.
 *  - The tasks of a queue are taken out in the order of their deaths, but for those that
 *    are asked for by name: kwaitd_queue_take().
 *
 * Locking: a queue has a raw spinlock, which nests in nothing, and nothing in it. Tasks
 * are only added on the queue's own CPU, with preemption off.
 */
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "queue.h"

struct queue {
	raw_spinlock_t lock;
	struct list_head tasks;		/* oldest first */
	unsigned int backlog;		/* how many; read without the lock */
	u64 since;			/* ktime_get_ns(): when the oldest was taken, or came */
	bool open;			/* may tasks be added? Written by kwaitd/N. */
};

static DEFINE_PER_CPU(struct queue, queues);

/*
 * What a queued task carries, in place of what task_struct::restart_block holds for the
 * continuation of a system call.
 *
 * Problem: a death must not depend on memory that can be had, and one task in the middle
 * of a queue must be found, and taken out, by those who wait for it.
 * Trick: nobody needs the restart_block of a dead task, which is in no system call that
 * could be continued. So the union in it is a node of the queue, and fn, which no program
 * can choose, says that it is.
 * Safe: only the task itself ever looks at its restart_block, on its way back to user space.
 */
struct node {
	struct list_head list;
	u64 since;		/* ktime_get_ns() when queued */
	unsigned int cpu;	/* whose queue */
	bool orphan;
};

static_assert(sizeof(struct node) <= sizeof_field(struct restart_block, futex));

/* Its address is what fn says. Nobody calls it. */
static long queued(struct restart_block *block)
{
	return -EINTR;
}

static struct node *node_of(struct task_struct *p)
{
	return (struct node *)&p->restart_block.futex;
}

static struct task_struct *task_of(struct node *node)
{
	return (void *)node - offsetof(struct task_struct, restart_block.futex);
}

/* Under the lock of the queue that p is in. Return: the time */
static u64 take(struct queue *q, struct task_struct *p, struct kwaitd_queued *was)
{
	struct node *node = node_of(p);
	u64 now = ktime_get_ns();

	*was = (struct kwaitd_queued){
		.latency = now - node->since,
		.cpu = node->cpu,
		.orphan = node->orphan,
	};
	list_del(&node->list);
	WRITE_ONCE(q->backlog, q->backlog - 1);
	WRITE_ONCE(p->restart_block.fn, NULL);
	return now;
}

/**
 * kwaitd_queue_add() - queue a task on this CPU
 * @p: current, EXIT_DEAD
 * @orphan: is it the orphan of an adopted reaper?
 *
 * From here on another CPU may release p. What p points to is there nevertheless, since p is
 * current.
 *
 * Context: release hook; preemption off. It is a full memory barrier: whoever does not find
 * p in the queue has what he wrote before he looked seen by the caller.
 * Return: how many are queued here now.
 */
unsigned int kwaitd_queue_add(struct task_struct *p, bool orphan)
{
	struct queue *q = this_cpu_ptr(&queues);
	struct node *node = node_of(p);
	unsigned int backlog;

	node->since = ktime_get_ns();
	node->cpu = smp_processor_id();
	node->orphan = orphan;
	raw_spin_lock(&q->lock);
	if (!q->backlog)
		WRITE_ONCE(q->since, node->since);
	backlog = q->backlog + 1;
	WRITE_ONCE(q->backlog, backlog);
	list_add_tail(&node->list, &q->tasks);
	/* Pairs with smp_load_acquire() in kwaitd_queue_take(): node->cpu is written. */
	smp_store_release(&p->restart_block.fn, queued);
	raw_spin_unlock(&q->lock);
	/* Pairs with the barriers of those who look: see kwaitd_release_decide(). */
	smp_mb();
	return backlog;
}

/**
 * kwaitd_queue_next() - take the oldest task out of a CPU's queue
 * @cpu: which
 * @was: what the queue knows of the task
 *
 * Context: process context.
 * Return: the task, which the caller has to release; NULL if there is none.
 */
struct task_struct *kwaitd_queue_next(unsigned int cpu, struct kwaitd_queued *was)
{
	struct queue *q = per_cpu_ptr(&queues, cpu);
	struct task_struct *p = NULL;
	struct node *node;

	if (!READ_ONCE(q->backlog))
		return NULL;
	raw_spin_lock(&q->lock);
	node = list_first_entry_or_null(&q->tasks, struct node, list);
	if (node) {
		p = task_of(node);
		WRITE_ONCE(q->since, take(q, p, was));
	}
	raw_spin_unlock(&q->lock);
	return p;
}

/**
 * kwaitd_queue_take() - take a task out of whatever queue it is in
 * @p: any task
 * @was: what the queue knows of it
 *
 * Context: process context; RCU, so that @p is there.
 * Return: whether it was queued. Then the caller has to release it.
 */
bool kwaitd_queue_take(struct task_struct *p, struct kwaitd_queued *was)
{
	struct node *node = node_of(p);
	struct queue *q;
	bool taken;

	/* Pairs with smp_store_release() in kwaitd_queue_add(). */
	if (smp_load_acquire(&p->restart_block.fn) != queued)
		return false;
	q = per_cpu_ptr(&queues, node->cpu);
	raw_spin_lock(&q->lock);
	/* Has nobody been faster? */
	taken = p->restart_block.fn == queued;
	if (taken)
		take(q, p, was);
	raw_spin_unlock(&q->lock);
	return taken;
}

/**
 * kwaitd_queue_backlog() - how many tasks are queued on a CPU
 * @cpu: which
 *
 * A hint: other CPUs add tasks and take tasks meanwhile.
 *
 * Context: any.
 */
unsigned int kwaitd_queue_backlog(unsigned int cpu)
{
	return READ_ONCE(per_cpu(queues.backlog, cpu));
}

/**
 * kwaitd_queue_age() - for how long has nobody come to a CPU's queue?
 * @cpu: which; its queue is not empty
 *
 * Context: any.
 * Return: nanoseconds since the oldest task was taken, or since there is one.
 */
u64 kwaitd_queue_age(unsigned int cpu)
{
	u64 since = READ_ONCE(per_cpu(queues.since, cpu));
	u64 now = ktime_get_ns();

	/* Somebody may just have come. */
	return now > since ? now - since : 0;
}

/**
 * kwaitd_queue_is_open() - may a task be added on this CPU?
 *
 * Context: preemption off.
 */
bool kwaitd_queue_is_open(void)
{
	return __this_cpu_read(queues.open);
}

/**
 * kwaitd_queue_open() - from now on tasks may be added on a CPU
 * @cpu: which
 *
 * Context: on that CPU.
 */
void kwaitd_queue_open(unsigned int cpu)
{
	WRITE_ONCE(per_cpu(queues.open, cpu), true);
}

/**
 * kwaitd_queue_close() - from now on no task is added on a CPU
 * @cpu: which
 *
 * Context: on that CPU, so that no task is about to be added.
 */
void kwaitd_queue_close(unsigned int cpu)
{
	WRITE_ONCE(per_cpu(queues.open, cpu), false);
}

/**
 * kwaitd_queue_init() - make the queues, which are closed
 *
 * Context: module init.
 */
void kwaitd_queue_init(void)
{
	struct queue *q;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		q = per_cpu_ptr(&queues, cpu);
		raw_spin_lock_init(&q->lock);
		INIT_LIST_HEAD(&q->tasks);
	}
}
