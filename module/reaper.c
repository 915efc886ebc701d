// SPDX-License-Identifier: GPL-2.0
/*
 * The reaper: a queue and a thread, kwaitd/N, on every CPU.
 *
 * A task queues itself on the CPU it dies on, as its last act in
 * exit_notify(): it is EXIT_DEAD and off every list but those release_task()
 * takes it from, so no one else can want to release it. It goes on to its last
 * schedule() meanwhile, which release_task() does not mind: wait4() releases
 * zombies in that state as well.
 *
 * Concurrency notes. The dying add to an llist, with preemption off and only on
 * their CPU. Who drains takes one task at a time, under the queue's lock, so that
 * a drain that loses its CPU keeps at most one task from others: normally only
 * kwaitd/N drains, but when it has no turn for too long (STALE) a worker on
 * another CPU does. Whoever drains, the order is that of the deaths.
 *
 * CPU hotplug: smpboot parks kwaitd/N when its CPU goes down, on that CPU. From
 * then on the queue is closed, which the dying see since they look on the same
 * CPU with preemption off, and what is in it is drained right there.
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

#include "adopt.h"
#include "compat.h"
#include "kwaitd.h"
#include "trace.h"

/* A queue that kwaitd has not come to for so long is drained by another CPU. */
#define STALE (HZ / 20)

struct kwaitd_queue {
	struct llist_head tasks;	/* youngest first */
	struct llist_node *oldest;	/* taken from tasks; protected by lock */
	raw_spinlock_t lock;
	atomic_t backlog;		/* queued, and release not begun */
	unsigned long since;		/* jiffies: last empty, or taken from */
	bool open;			/* written by kwaitd/N */
};

static DEFINE_PER_CPU(struct kwaitd_queue, queues);
static DEFINE_PER_CPU(struct task_struct *, kwaitd_task);	/* by smpboot */

static struct workqueue_struct *steal_wq;
static struct hrtimer watch;

/*
 * What is laid over task_struct::ptrace_entry of a queued task. exit_notify()
 * has just taken that off its list, nobody can attach to an EXIT_DEAD task, and
 * release_task() is the next to look at it: it wants an empty list.
 */
struct kwaitd_node {
	struct llist_node llist;
	unsigned long stamp;	/* ktime_get_ns() when queued, or ORPHAN */
};

#define ORPHAN 1UL	/* in stamp; the clock can do without */

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

static void reap(struct task_struct *p, unsigned int queue_cpu)
{
	unsigned long stamp = queue_node(p)->stamp, latency;

	latency = (unsigned long)ktime_get_ns() - (stamp & ~ORPHAN);
	INIT_LIST_HEAD(&p->ptrace_entry);
	trace_kwaitd_reap(p, queue_cpu, latency, stamp & ORPHAN);
	static_call(kwaitd_release_body)(p);
	kwaitd_stats_latency(latency);
	kwaitd_count(KWAITD_REAPED);
}

/**
 * kwaitd_reaper_release() - release a zombie
 * @p: made EXIT_DEAD by the caller
 *
 * Context: process context; may sleep.
 */
void kwaitd_reaper_release(struct task_struct *p)
{
	preempt_disable();
	kwaitd_adopt_released(p);
	kwaitd_mark_release(p);
	preempt_enable();
	kwaitd_reaper_inline(p);
	static_call(kwaitd_release_body)(p);
}

/**
 * kwaitd_reaper_inline() - an orphan that is not current is about to be released
 * @p: its group leader
 *
 * Context: any; tasklist_lock may be held.
 */
void kwaitd_reaper_inline(struct task_struct *p)
{
	trace_kwaitd_reap(p, raw_smp_processor_id(), 0, true);
}

/* A hint: others queue and take meanwhile. Whose release has not begun is in it. */
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

static void wake(unsigned int cpu)
{
	struct task_struct *kwaitd = per_cpu(kwaitd_task, cpu);

	if (kwaitd && wake_up_process(kwaitd))
		kwaitd_count(KWAITD_WAKEUPS);
}

/* Has nobody come to this queue for too long? */
static bool stale(struct kwaitd_queue *q)
{
	return time_after(jiffies, READ_ONCE(q->since) + STALE);
}

static void kwaitd_steal(struct work_struct *work)
{
	struct kwaitd_queue *q;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		q = per_cpu_ptr(&queues, cpu);
		if (!queue_empty(q) && stale(q))
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
 * The watch looks after tasks nobody came for: fewer than a batch, for which
 * kwaitd was not woken, and those on a CPU where kwaitd has no turn. One timer
 * for all CPUs, and a hard one, which also fires where a real-time task hogs the
 * CPU and all that runs in threads.
 */
static enum hrtimer_restart kwaitd_watch(struct hrtimer *timer)
{
	struct kwaitd_queue *q;
	bool again = false;
	unsigned int cpu;

	/*
	 * Pairs with atomic_inc_return() in kwaitd_reaper_queue(): either the task
	 * is seen here, or the timer is seen not to be queued there.
	 */
	smp_mb();
	for_each_possible_cpu(cpu) {
		q = per_cpu_ptr(&queues, cpu);
		if (queue_empty(q))
			continue;
		again = true;
		if (stale(q))
			queue_work(steal_wq, &steal_work);
		else
			wake(cpu);
	}
	/* HRTIMER_RESTART would mind being started by someone else meanwhile. */
	if (again)
		watch_start();
	return HRTIMER_NORESTART;
}

/*
 * Are all threads of its process but one dead, or dying as p is? That one may wait
 * for the others: in execve(), in unshare(), or on its way out.
 */
static bool last_thread(struct task_struct *p)
{
	return !thread_group_leader(p) && atomic_read(&p->signal->live) <= 1;
}

/*
 * Does its process seem to have one thread at a time besides the leader? The next one
 * may be there before p has come to its end; p is the first in order of birth then.
 * No lock: its neighbours come and go, and whatever is found is right.
 */
static bool lone_thread(struct task_struct *p)
{
	int live = atomic_read(&p->signal->live);

	return live <= 1 ||
	       (live == 2 && peek(p->thread_node.prev) ==
			     &p->group_leader->thread_node);
}

/* Return: why p must be released at once, or KWAITD_NR_COUNTERS. */
static enum kwaitd_counter inline_reason(struct task_struct *p,
					 struct kwaitd_queue *q)
{
	struct signal_struct *sig = p->signal;

	if (!READ_ONCE(q->open))
		return KWAITD_INLINE_PARKED;
	if (kwaitd_selftest_is_probe(p))
		return KWAITD_NR_COUNTERS;
	/* Who waits for these is the kernel's own affair. kwaitd is one, too. */
	if (task_works_for_kernel(p))
		return KWAITD_INLINE_KERNEL;
	if (READ_ONCE(kwaitd_offload) == KWAITD_OFFLOAD_NONE)
		return KWAITD_INLINE_OFFLOAD;
	if (!READ_ONCE(kwaitd_live))
		return KWAITD_INLINE_UNLOAD;
	if (atomic_read(&q->backlog) >= READ_ONCE(kwaitd_max_backlog))
		return KWAITD_INLINE_BACKLOG;
	/*
	 * No locks: who starts to wait for this thread a moment later, the leader's
	 * parent or execve(), has to wait for kwaitd; see hurry().
	 */
	if (!thread_group_leader(p)) {
		if (peek(sig->notify_count) || peek(sig->group_exec_task))
			return KWAITD_INLINE_EXEC;
		if (peek(p->group_leader->flags) & PF_EXITING)
			return KWAITD_INLINE_LEADER_DEAD;
		if (peek(sig->flags) & SIGNAL_GROUP_EXIT)
			return KWAITD_INLINE_GROUP_EXIT;
		/* To wake kwaitd at once would cost more than this does. */
		if (lone_thread(p))
			return KWAITD_INLINE_LAST_THREAD;
	}
	if (pid_has_pidfd(task_pid(p)))
		return KWAITD_INLINE_PIDFD;
	if (kwaitd_limits_nproc(p))
		return KWAITD_INLINE_NPROC;
	if (kwaitd_limits_pids(p))
		return KWAITD_INLINE_PIDS;
	if (kwaitd_limits_pid_max(p))
		return KWAITD_INLINE_PID_MAX;
	return KWAITD_NR_COUNTERS;
}

/* Its threads may have died on any CPU. */
static void wake_all(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		if (!queue_empty(per_cpu_ptr(&queues, cpu)))
			wake(cpu);
	}
}

/* Then who was queued before p is released at once. Return: whether it is so. */
static bool hurry(struct task_struct *p)
{
	if (!last_thread(p))
		return false;
	/* besides p and the one that is alive */
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
 * kwaitd_reaper_queue() - leave a dying task to the kwaitd of this CPU
 * @p: current, at the entry of release_task()
 * @kind: what it is
 *
 * Context: release hook; preemption off, no locks held.
 * Return: whether it is queued. If so release_task() must not run; if not,
 * nothing has changed.
 */
bool kwaitd_reaper_queue(struct task_struct *p, enum kwaitd_kind kind)
{
	struct kwaitd_queue *q = this_cpu_ptr(&queues);
	struct kwaitd_node *node = queue_node(p);
	enum kwaitd_counter reason;
	unsigned int backlog;

	if (kind == KWAITD_KIND_OTHER &&
	    READ_ONCE(kwaitd_offload) != KWAITD_OFFLOAD_ALL &&
	    !kwaitd_selftest_is_probe(p)) {
		hurry(p);
		return false;
	}
	reason = inline_reason(p, q);
	if (reason != KWAITD_NR_COUNTERS) {
		kwaitd_count(reason);
		trace_kwaitd_inline(p, kwaitd_stats_name(reason),
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
	 * p may be released from here on, by another CPU; but it is current, and so what
	 * it points to is there.
	 */

	/*
	 * A wake-up costs two switches of tasks, so it is put off until it is for many,
	 * but not where nothing else wants the CPU. kwaitd sleeps only when it has
	 * found nothing here, on this CPU. Of two threads that die at the same time the
	 * later one must see the other here: to add to the backlog is a full barrier, as
	 * is the decrement of live in do_exit().
	 */
	if (hurry(p) || backlog == READ_ONCE(kwaitd_batch) ||
	    single_task_running())
		wake(smp_processor_id());
	if (!hrtimer_is_queued(&watch))
		watch_start();
	return true;
}

/**
 * kwaitd_reaper_wake() - wake this CPU's kwaitd for something else than a task
 *
 * Context: hooks; preemption off.
 */
void kwaitd_reaper_wake(void)
{
	wake(smp_processor_id());
}

unsigned long kwaitd_reaper_backlog(unsigned int cpu)
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
 * kwaitd_reaper_init() - start the threads and open the queues
 *
 * Context: process context; may sleep.
 * Return: 0 or -ENOMEM.
 */
int kwaitd_reaper_init(void)
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
 * kwaitd_reaper_exit() - release who is left, and stop the threads
 *
 * Context: process context; may sleep. The hooks are disarmed: nobody queues.
 */
void kwaitd_reaper_exit(void)
{
	hrtimer_cancel(&watch);
	destroy_workqueue(steal_wq);
	smpboot_unregister_percpu_thread(&kwaitd_threads);
}
