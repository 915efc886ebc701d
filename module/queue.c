// SPDX-License-Identifier: GPL-2.0
/*
 * The queues, and the threads that release what is in them: every CPU has a queue and a
 * thread, kwaitd/N.
 *
 * A task queues itself on the CPU it dies on, as its last act in exit_notify(). By then
 * the task is EXIT_DEAD and off every list but those release_task() takes it from, so
 * nobody else can want to release it. It still goes on to its last schedule().
 * release_task() does not mind: wait4() releases zombies in that state as well.
 *
 * What this file promises:
 *
 *  - A task that is queued is released exactly once.
 *  - The tasks of a queue are released in the order of their deaths.
 *  - A task is released in the tick after its death, or when its kwaitd/N runs next; and
 *    after STALE by another CPU, if kwaitd/N does not get to run.
 *
 * Locking: dying tasks add themselves to an llist, without a lock, with preemption off and
 * only on their CPU. A drain takes one task at a time, under the queue's lock. So a drain
 * that loses its CPU keeps at most one task from others. Normally only kwaitd/N drains its
 * queue. The queue's lock nests in nothing, and nothing in it.
 *
 * CPU hotplug: smpboot parks kwaitd/N when its CPU goes down, on that CPU. kwaitd/N then
 * closes the queue and drains it. Tasks that die there later see that the queue is closed,
 * since they look on the same CPU with preemption off, and are released at once.
 */
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/llist.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/smpboot.h>
#include <linux/static_call.h>
#include <linux/workqueue.h>
#include <uapi/linux/sched/types.h>

#include "compat.h"
#include "count.h"
#include "param.h"
#include "pool.h"
#include "queue.h"
#include "task.h"
#include "trace.h"

static unsigned int batch = 16;
static struct kwaitd_range batch_param = {
	.value = &batch,
	.min = 1,
	.max = 4096,
};
module_param_cb(batch, &kwaitd_range_ops, &batch_param, 0644);
MODULE_PARM_DESC(batch, "wake kwaitd when so many tasks are queued on its CPU, nothing else wants that, or a tick later (1 to 4096, default 16)");

/* A queue that kwaitd has not come to for so long is drained by another CPU. */
#define STALE (HZ / 20)

struct kwaitd_queue {
	struct llist_head tasks;	/* youngest first */
	struct llist_node *oldest;	/* what was taken from tasks; protected by lock */
	raw_spinlock_t lock;
	atomic_t backlog;		/* tasks whose release has not begun */
	unsigned long since;		/* jiffies: when a task was last taken, or none left */
	bool open;			/* written by kwaitd/N */
};

static DEFINE_PER_CPU(struct kwaitd_queue, queues);
static DEFINE_PER_CPU(struct task_struct *, kwaitd_task);	/* by smpboot */

static struct workqueue_struct *steal_wq;
static struct hrtimer watch;

/*
 * What the queue keeps in a task that is queued, in place of task_struct::ptrace_entry.
 *
 * Problem: a death must not depend on memory that can be had.
 * Trick: ptrace_entry is not in use from here on. exit_notify() has taken it off its list.
 * Safe: nobody can attach to a task that is EXIT_DEAD. release_task() is the next to look
 * at ptrace_entry and wants an empty list, which reap() makes of it.
 */
struct kwaitd_node {
	struct llist_node llist;
	unsigned long stamp;	/* ktime_get_ns() when queued; and ORPHAN */
};

/* In stamp, which has no room beside it: a nanosecond more or less does not matter. */
#define ORPHAN 1UL

static_assert(sizeof(struct kwaitd_node) <= sizeof(struct list_head));

static struct kwaitd_node *queue_node(struct task_struct *p)
{
	return (struct kwaitd_node *)&p->ptrace_entry;
}

static struct task_struct *queued_task(struct llist_node *node)
{
	return container_of((struct list_head *)node, struct task_struct,
			    ptrace_entry);
}

static void release_nothing(struct task_struct *p)
{
}

DEFINE_STATIC_CALL(kwaitd_release_body, release_nothing);

static void reap(struct task_struct *p, unsigned int queue_cpu)
{
	unsigned long stamp = queue_node(p)->stamp, latency;

	latency = (unsigned long)ktime_get_ns() - (stamp & ~ORPHAN);
	INIT_LIST_HEAD(&p->ptrace_entry);
	trace_kwaitd_reap(p, queue_cpu, latency, stamp & ORPHAN);
	static_call(kwaitd_release_body)(p);
	kwaitd_count_latency(latency);
	kwaitd_count(KWAITD_REAPED);
}

/*
 * A hint: other CPUs add tasks and take tasks meanwhile. A task is in its queue until its
 * release begins.
 */
static bool queue_empty(struct kwaitd_queue *q)
{
	return !atomic_read(&q->backlog);
}

static struct task_struct *queue_next(struct kwaitd_queue *q)
{
	struct llist_node *node;

	raw_spin_lock(&q->lock);
	node = q->oldest;
	if (!node)
		node = llist_reverse_order(llist_del_all(&q->tasks));
	if (node) {
		WRITE_ONCE(q->oldest, node->next);
		WRITE_ONCE(q->since, jiffies);
		atomic_dec(&q->backlog);
	}
	raw_spin_unlock(&q->lock);
	return node ? queued_task(node) : NULL;
}

/* Release what waits on @cpu, oldest first. Return: how many. */
static unsigned int drain(unsigned int cpu)
{
	struct kwaitd_queue *q = per_cpu_ptr(&queues, cpu);
	struct task_struct *p;
	unsigned int n = 0;

	while ((p = queue_next(q))) {
		reap(p, cpu);
		n++;
		cond_resched();
	}
	return n;
}

static void wake_kwaitd(unsigned int cpu)
{
	struct task_struct *kwaitd = per_cpu(kwaitd_task, cpu);

	if (kwaitd && wake_up_process(kwaitd))
		kwaitd_count(KWAITD_WAKEUPS);
}

/* Has nobody taken a task from this queue for too long? */
static bool is_stale(struct kwaitd_queue *q)
{
	return time_after(jiffies, READ_ONCE(q->since) + STALE);
}

static void kwaitd_steal(struct work_struct *work)
{
	struct kwaitd_queue *q;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		q = per_cpu_ptr(&queues, cpu);
		if (!queue_empty(q) && is_stale(q))
			this_cpu_add(kwaitd_stats.count[KWAITD_STOLEN],
				     drain(cpu));
	}
}

static DECLARE_WORK(steal_work, kwaitd_steal);

static void watch_start(void)
{
	hrtimer_start(&watch, ns_to_ktime(TICK_NSEC), HRTIMER_MODE_REL_HARD);
}

/*
 * The watch looks after two kinds of queued tasks: those that are fewer than a batch, for
 * which kwaitd was not woken, and those on a CPU where kwaitd does not get to run. There is
 * one timer for all CPUs. It fires in hard interrupt context, also on a CPU that a
 * real-time task does not give away.
 */
static enum hrtimer_restart kwaitd_watch(struct hrtimer *timer)
{
	struct kwaitd_queue *q;
	bool again = false;
	unsigned int cpu;

	/*
	 * Pairs with atomic_inc_return() in kwaitd_queue_task(): either the task
	 * is seen here, or the timer is seen not to be queued there.
	 */
	smp_mb();
	for_each_possible_cpu(cpu) {
		q = per_cpu_ptr(&queues, cpu);
		if (queue_empty(q))
			continue;
		again = true;
		if (is_stale(q))
			queue_work(steal_wq, &steal_work);
		else
			wake_kwaitd(cpu);
	}
	/* HRTIMER_RESTART would mind being started by someone else meanwhile. */
	if (again)
		watch_start();
	return HRTIMER_NORESTART;
}

/* For a process whose threads may have died on any CPU */
static void wake_all(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		if (!queue_empty(per_cpu_ptr(&queues, cpu)))
			wake_kwaitd(cpu);
	}
}

/*
 * If p leaves one thread in its process, that thread may wait for all others to be
 * released. Then have the others, which were queued before p, released now.
 * Return: whether p leaves one thread.
 */
static bool hurry(struct task_struct *p)
{
	if (!kwaitd_last_thread(p))
		return false;
	/* Are there others, besides p and the one that is alive? */
	if (peek(p->signal->nr_threads) > 2)
		wake_all();
	return true;
}

static enum kwaitd_counter queued_as(struct task_struct *p,
				     enum kwaitd_kind kind)
{
	if (!thread_group_leader(p))
		return KWAITD_QUEUED_THREADS;
	return kind == KWAITD_KIND_ORPHAN ? KWAITD_QUEUED_ORPHANS :
					    KWAITD_QUEUED_PROCESSES;
}

/**
 * kwaitd_queue_task() - leave a dying task to the kwaitd of this CPU
 * @p: current, at the entry of release_task()
 * @kind: what it is
 *
 * Context: release hook; preemption off, no locks held.
 * Return: whether it is queued. If so release_task() must not run; if not,
 * nothing has changed.
 */
bool kwaitd_queue_task(struct task_struct *p, enum kwaitd_kind kind)
{
	struct kwaitd_queue *q = this_cpu_ptr(&queues);
	struct kwaitd_node *node = queue_node(p);
	enum kwaitd_counter reason;
	unsigned int backlog;

	if (!kwaitd_defer_wanted(p, kind)) {
		hurry(p);
		return false;
	}
	reason = kwaitd_defer_refused(p, READ_ONCE(q->open),
				      atomic_read(&q->backlog));
	if (reason != KWAITD_NR_COUNTERS) {
		kwaitd_count(reason);
		trace_kwaitd_inline(p, kwaitd_count_name(reason),
				    kind == KWAITD_KIND_ORPHAN);
		hurry(p);
		return false;
	}

	backlog = atomic_inc_return(&q->backlog);
	if (backlog > this_cpu_read(kwaitd_stats.backlog_max))
		this_cpu_write(kwaitd_stats.backlog_max, backlog);
	kwaitd_count(queued_as(p, kind));
	trace_kwaitd_queue(p, backlog);
	if (backlog == 1)
		WRITE_ONCE(q->since, jiffies);
	node->stamp = ktime_get_ns() & ~ORPHAN;
	if (kind == KWAITD_KIND_ORPHAN)
		node->stamp |= ORPHAN;
	llist_add(&node->llist, &q->tasks);
	/*
	 * From here on another CPU may release p. What p points to is there nevertheless,
	 * since p is current.
	 */

	/*
	 * A wake-up costs two task switches. So kwaitd is woken for a batch of tasks, or
	 * at once if nothing else wants the CPU. kwaitd cannot miss p: it sleeps only when
	 * it has found this queue empty, on this CPU.
	 *
	 * When two threads die at the same time, the later one must see the earlier one
	 * in its queue, or hurry() would not wake for it. Both write before they look:
	 * atomic_inc_return() above is a full barrier, and so is the decrement of
	 * signal->live in do_exit().
	 */
	if (hurry(p) || backlog == READ_ONCE(batch) ||
	    single_task_running())
		wake_kwaitd(smp_processor_id());
	if (!hrtimer_is_queued(&watch))
		watch_start();
	return true;
}

/**
 * kwaitd_queue_wake() - wake this CPU's kwaitd for something else than a task
 *
 * Context: hooks; preemption off.
 */
void kwaitd_queue_wake(void)
{
	wake_kwaitd(smp_processor_id());
}

/**
 * kwaitd_queue_backlog() - how many tasks are queued on a CPU
 * @cpu: which
 *
 * Context: any.
 */
unsigned long kwaitd_queue_backlog(unsigned int cpu)
{
	return atomic_read(&per_cpu(queues.backlog, cpu));
}

static void kwaitd_setup(unsigned int cpu)
{
	/* Wakes up without preempting the task that has yet to die. */
	const struct sched_attr attr = { .sched_policy = SCHED_BATCH };

	WARN_ON_ONCE(sched_setattr_nocheck(current, &attr));
	kwaitd_pool_refill();
	WRITE_ONCE(per_cpu(queues.open, cpu), true);
}

static void kwaitd_park(unsigned int cpu)
{
	WRITE_ONCE(per_cpu(queues.open, cpu), false);
	drain(cpu);
}

static void kwaitd_unpark(unsigned int cpu)
{
	WRITE_ONCE(per_cpu(queues.open, cpu), true);
}

static void kwaitd_cleanup(unsigned int cpu, bool online)
{
	kwaitd_park(cpu);
}

static int kwaitd_should_run(unsigned int cpu)
{
	return !queue_empty(per_cpu_ptr(&queues, cpu)) ||
	       kwaitd_pool_wanting();
}

static void kwaitd_run(unsigned int cpu)
{
	drain(cpu);
	kwaitd_pool_refill();
}

static struct smp_hotplug_thread kwaitd_threads = {
	.store			= &kwaitd_task,
	.thread_should_run	= kwaitd_should_run,
	.thread_fn		= kwaitd_run,
	.setup			= kwaitd_setup,
	.cleanup		= kwaitd_cleanup,
	.park			= kwaitd_park,
	.unpark			= kwaitd_unpark,
	.thread_comm		= "kwaitd/%u",
};

/**
 * kwaitd_queue_init() - start the threads and open the queues
 *
 * Context: process context; may sleep.
 * Return: 0 or -ENOMEM.
 */
int kwaitd_queue_init(void)
{
	unsigned int cpu;
	int err;

	/* WQ_MEM_RECLAIM: a release frees memory. */
	steal_wq = alloc_workqueue("kwaitd_steal", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!steal_wq)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		raw_spin_lock_init(per_cpu_ptr(&queues.lock, cpu));
	hrtimer_setup(&watch, kwaitd_watch, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_HARD);
	err = smpboot_register_percpu_thread(&kwaitd_threads);
	if (err)
		destroy_workqueue(steal_wq);
	return err;
}

/**
 * kwaitd_queue_exit() - release what is left, and stop the threads
 *
 * Context: process context; may sleep. The hooks are disarmed: nobody queues.
 */
void kwaitd_queue_exit(void)
{
	hrtimer_cancel(&watch);
	destroy_workqueue(steal_wq);
	smpboot_unregister_percpu_thread(&kwaitd_threads);
}
