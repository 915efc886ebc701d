// SPDX-License-Identifier: GPL-2.0
/*
 * Who releases what is queued. Normally that is the thread of the CPU, kwaitd/N.
 *
 * What this file promises: a queued task is released
 *
 *  - at once, if nothing else wants its CPU, or when a batch of tasks is queued there;
 *  - else when the watch fires next, and kwaitd/N gets the CPU;
 *  - by another CPU, if kwaitd/N does not get it.
 *
 * Whoever waits for a task does not wait for this file: release.c.
 *
 * Tasks are taken one at a time, and kwaitd/N lets go of the CPU, if anybody wants it, before
 * it takes the next. So what is kept from others when the CPU is lost is one task, and only
 * if it is lost between taking the task and releasing it.
 *
 * CPU hotplug: smpboot parks kwaitd/N when its CPU goes down, on that CPU. kwaitd/N then
 * closes the queue and drains it. Tasks that die there later see that the queue is closed,
 * since they look on the same CPU with preemption off, and are released at once.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>
#include <linux/smpboot.h>
#include <linux/static_call.h>
#include <linux/workqueue.h>
#include <uapi/linux/sched/types.h>

#include "compat.h"
#include "count.h"
#include "drain.h"
#include "param.h"
#include "pool.h"
#include "queue.h"
#include "trace.h"

static unsigned int batch = 16;
static struct kwaitd_range batch_param = {
	.value = &batch,
	.min = 1,
	.max = 4096,
};
module_param_cb(batch, &kwaitd_range_ops, &batch_param, 0644);
MODULE_PARM_DESC(batch, "wake kwaitd when so many tasks are queued on its CPU, nothing else wants that, or 2 ms later (1 to 4096, default 16)");

/*
 * How long a task waits for others to make up a batch. With what a CPU that is in use takes
 * to let go of its task, at a tick, that stays below 10 ms.
 */
#define WATCH_NS (2 * NSEC_PER_MSEC)

/* If nobody has come to a queue for so long, another CPU does. */
#define STALE_NS (5 * NSEC_PER_MSEC)

static DEFINE_PER_CPU(struct task_struct *, kwaitd_task);	/* by smpboot */

static struct workqueue_struct *steal_wq;
static struct hrtimer watch;

static void release_nothing(struct task_struct *p)
{
}

DEFINE_STATIC_CALL(kwaitd_release_body, release_nothing);

static void reap(struct task_struct *p, const struct kwaitd_queued *was)
{
	trace_kwaitd_reap(p, was->cpu, was->latency, was->orphan);
	static_call(kwaitd_release_body)(p);
	kwaitd_count_latency(was->latency);
	kwaitd_count(KWAITD_REAPED);
}

/* Release what is queued on @cpu, oldest first. Return: how many. */
static unsigned int drain(unsigned int cpu)
{
	struct kwaitd_queued was;
	struct task_struct *p;
	unsigned int n = 0;

	while (cond_resched(), (p = kwaitd_queue_next(cpu, &was))) {
		reap(p, &was);
		n++;
	}
	return n;
}

/**
 * kwaitd_drain_taken() - release a task that somebody has taken out of its queue
 * @p: the task
 * @was: what the queue knew of it
 *
 * Context: process context; may sleep.
 */
void kwaitd_drain_taken(struct task_struct *p, const struct kwaitd_queued *was)
{
	reap(p, was);
	kwaitd_count(KWAITD_COLLECTED);
}

static void wake_kwaitd(unsigned int cpu)
{
	struct task_struct *kwaitd = per_cpu(kwaitd_task, cpu);

	if (kwaitd && wake_up_process(kwaitd))
		kwaitd_count(KWAITD_WAKEUPS);
}

static void kwaitd_steal(struct work_struct *work)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		if (kwaitd_queue_backlog(cpu) && kwaitd_queue_age(cpu) > STALE_NS)
			this_cpu_add(kwaitd_stats.count[KWAITD_STOLEN], drain(cpu));
	}
}

static DECLARE_WORK(steal_work, kwaitd_steal);

static void watch_start(u64 ns)
{
	hrtimer_start(&watch, ns_to_ktime(ns), HRTIMER_MODE_REL_HARD);
}

/*
 * The watch looks after two kinds of queued tasks: those that are fewer than a batch, for
 * which kwaitd was not woken, and those on a CPU where kwaitd does not get to run. There is
 * one timer for all CPUs. It fires in hard interrupt context, also on a CPU that a
 * real-time task does not give away.
 */
static enum hrtimer_restart kwaitd_watch(struct hrtimer *timer)
{
	u64 age, next = WATCH_NS;
	bool again = false;
	unsigned int cpu;

	/*
	 * Pairs with the barrier in kwaitd_queue_add(): either the task is seen here, or
	 * kwaitd_drain_soon() sees that the timer is not queued.
	 */
	smp_mb();
	for_each_possible_cpu(cpu) {
		if (!kwaitd_queue_backlog(cpu))
			continue;
		again = true;
		age = kwaitd_queue_age(cpu);
		if (age > STALE_NS)
			queue_work(steal_wq, &steal_work);
		else if (age >= WATCH_NS)
			wake_kwaitd(cpu);
		else
			next = min(next, WATCH_NS - age);
	}
	/* HRTIMER_RESTART would mind being started by someone else meanwhile. */
	if (again)
		watch_start(next);
	return HRTIMER_NORESTART;
}

/**
 * kwaitd_drain_soon() - a task has been queued on this CPU: have it released
 * @backlog: how many there are now
 *
 * A wake-up costs two task switches. So kwaitd is woken for a batch of tasks, or at once if
 * nothing else wants the CPU. kwaitd cannot miss the task: it sleeps only when it has found
 * this queue empty, on this CPU.
 *
 * Context: release hook; preemption off.
 */
void kwaitd_drain_soon(unsigned int backlog)
{
	if (backlog == READ_ONCE(batch) || single_task_running())
		wake_kwaitd(smp_processor_id());
	if (!hrtimer_is_queued(&watch)) {
		watch_start(WATCH_NS);
		/* Before the caller looks who waits: see kwaitd_drain_pending(). */
		smp_mb();
	}
}

/**
 * kwaitd_drain_pending() - may there be a queued task?
 *
 * While there is one the watch is on, but for a moment: a task has been queued, and
 * kwaitd_drain_soon() has yet to be called for it. Whoever queues a task looks after that
 * whether somebody waits for the task, so one of the two sees the other.
 *
 * Context: any, after a full memory barrier.
 */
bool kwaitd_drain_pending(void)
{
	return hrtimer_active(&watch);
}

/**
 * kwaitd_drain_wake() - wake this CPU's kwaitd for something else than a task
 *
 * Context: hooks; preemption off.
 */
void kwaitd_drain_wake(void)
{
	wake_kwaitd(smp_processor_id());
}

/**
 * kwaitd_drain_all() - release what is queued anywhere
 *
 * Context: process context; may sleep.
 */
void kwaitd_drain_all(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		drain(cpu);
}

static void kwaitd_setup(unsigned int cpu)
{
	/*
	 * SCHED_BATCH: it wakes up without preempting the task that has yet to die. The
	 * nice value of a kernel's worker that others wait for: it runs at the next tick,
	 * whatever the number of tasks that want this CPU.
	 */
	const struct sched_attr attr = {
		.sched_policy = SCHED_BATCH,
		.sched_nice = MIN_NICE,
	};

	WARN_ON_ONCE(sched_setattr_nocheck(current, &attr));
	kwaitd_pool_refill();
	kwaitd_queue_open(cpu);
}

static void kwaitd_park(unsigned int cpu)
{
	kwaitd_queue_close(cpu);
	drain(cpu);
}

static void kwaitd_cleanup(unsigned int cpu, bool online)
{
	kwaitd_park(cpu);
}

static int kwaitd_should_run(unsigned int cpu)
{
	return kwaitd_queue_backlog(cpu) || kwaitd_pool_wanting();
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
	.unpark			= kwaitd_queue_open,
	.thread_comm		= "kwaitd/%u",
};

/**
 * kwaitd_drain_init() - start the threads and open the queues
 *
 * Context: process context; may sleep.
 * Return: 0 or -ENOMEM.
 */
int kwaitd_drain_init(void)
{
	int err;

	/*
	 * Unbound and of high priority: it must run where there is a CPU, and now.
	 * WQ_MEM_RECLAIM: a release frees memory.
	 */
	steal_wq = alloc_workqueue("kwaitd_steal",
				   WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	if (!steal_wq)
		return -ENOMEM;
	kwaitd_queue_init();
	hrtimer_setup(&watch, kwaitd_watch, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_HARD);
	err = smpboot_register_percpu_thread(&kwaitd_threads);
	if (err)
		destroy_workqueue(steal_wq);
	return err;
}

/**
 * kwaitd_drain_exit() - release what is left, and stop the threads
 *
 * Context: process context; may sleep. The hooks are disarmed: nobody queues.
 */
void kwaitd_drain_exit(void)
{
	hrtimer_cancel(&watch);
	destroy_workqueue(steal_wq);
	smpboot_unregister_percpu_thread(&kwaitd_threads);
}
