// SPDX-License-Identifier: GPL-2.0
/*
 * Taking zombies from an adopted reaper that does not wait for them, and releasing them.
 *
 * Problem: a zombie is the parent's until somebody makes it EXIT_DEAD, for which
 * tasklist_lock must be held. The lock is not exported.
 *
 * Trick: the kernel always holds the lock for writing when it calls do_notify_parent(),
 * which the module hooks. So a kernel thread is born that returns at once. When its death
 * comes to the hook, the zombies are made EXIT_DEAD there.
 *
 * Safe: in the hook each zombie is looked at again, and left alone unless it still is a
 * zombie and an orphan. Once it is EXIT_DEAD, wait, ptrace and reparenting pass over it,
 * so nobody else releases it, and it is released without a lock. The thread's function is
 * this module's, so the thread is stopped before anything else goes on.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/static_call.h>

#include "adopt.h"
#include "compat.h"
#include "count.h"
#include "drain.h"
#include "status.h"
#include "task.h"
#include "trace.h"
#include "zombie.h"

/**
 * kwaitd_is_zombie() - is a process dead, and has its parent to wait for it?
 * @p: its thread group leader, or any other thread
 *
 * Context: RCU. The answer is but a hint unless tasklist_lock is held.
 */
bool kwaitd_is_zombie(struct task_struct *p)
{
	return peek(p->exit_state) == EXIT_ZOMBIE && !peek(p->ptrace) &&
	       thread_group_leader(p) && !delay_group_leader(p);
}

static int taker_fn(void *zombies)
{
	return 0;
}

static void count_swept(struct task_struct *p)
{
	struct kwaitd_adoption *a = kwaitd_adopt_find_parent(p);

	if (a)
		atomic_long_inc(&a->swept);
	kwaitd_count(KWAITD_SWEPT);
}

/**
 * kwaitd_zombies_locked() - tasklist_lock is held for writing: the moment to take zombies
 * @tsk: whose death it is held for
 *
 * Context: notify hook.
 */
void kwaitd_zombies_locked(struct task_struct *tsk)
{
	struct kwaitd_zombies *z;
	struct task_struct *p;
	unsigned int i, n = 0;

	if (likely(!(tsk->flags & PF_KTHREAD)) || kthread_func(tsk) != taker_fn)
		return;
	z = kthread_data(tsk);
	for (i = 0; i < z->nr; i++) {
		p = z->tasks[i];
		if (!kwaitd_is_zombie(p) || !kwaitd_adopt_find_orphan(p))
			continue;
		/* wait_task_zombie() does it with the lock held for reading. */
		p->exit_state = EXIT_DEAD;
		count_swept(p);
		/* Those that were taken come first. */
		swap(z->tasks[n], z->tasks[i]);
		n++;
	}
	z->nr = n;
	complete(&z->taken);
}

/* Return: how many were taken, the first of z->tasks; or an errno. */
static int zombies_take(struct kwaitd_zombies *z)
{
	struct task_struct *p;
	bool taken;

	init_completion(&z->taken);
	p = kthread_create(taker_fn, z, "kwaitd/sweep");
	/* EAGAIN, no pid or no thread is left, means something else to the caller. */
	if (IS_ERR(p))
		return PTR_ERR(p) == -EAGAIN ? -ENOMEM : PTR_ERR(p);
	get_task_struct(p);
	wake_up_process(p);
	taken = wait_for_completion_timeout(&z->taken, HZ);
	if (!taken) {
		/* When it has been released it is past the hook, if there was one. */
		while (pid_alive(p))
			schedule_timeout_uninterruptible(1);
		taken = try_wait_for_completion(&z->taken);
	}
	/* The thread must not run this module's code any more. */
	kthread_stop(p);
	put_task_struct(p);
	return taken ? (int)z->nr : -EOPNOTSUPP;
}

/* @p has been made EXIT_DEAD. Context: process context; may sleep. */
static void zombie_release(struct task_struct *p)
{
	preempt_disable();
	kwaitd_adopt_released(p);
	kwaitd_status_release(p);
	preempt_enable();
	trace_kwaitd_reap(p, raw_smp_processor_id(), 0, true);
	static_call(kwaitd_release_body)(p);
}

/**
 * kwaitd_zombies_add() - here is one more
 * @z: has room
 * @p: a process' leader; a reference is taken
 *
 * Context: RCU.
 */
void kwaitd_zombies_add(struct kwaitd_zombies *z, struct task_struct *p)
{
	get_task_struct(p);
	z->tasks[z->nr++] = p;
}

/**
 * kwaitd_zombies_drop() - leave all as they are
 * @z: is empty then
 *
 * Context: any.
 */
void kwaitd_zombies_drop(struct kwaitd_zombies *z)
{
	while (z->nr)
		put_task_struct(z->tasks[--z->nr]);
}

/**
 * kwaitd_zombies_release() - release those that are zombies, and orphans, still
 * @z: is empty then
 *
 * Context: process context; sleeps.
 * Return: how many; -ENOMEM; or -EOPNOTSUPP if the hook did not fire. If it is an errno
 * nothing was released.
 */
int kwaitd_zombies_release(struct kwaitd_zombies *z)
{
	unsigned int all = z->nr;
	int n = zombies_take(z), i;

	for (i = 0; i < n; i++) {
		zombie_release(z->tasks[i]);
		cond_resched();
	}
	z->nr = all;
	kwaitd_zombies_drop(z);
	return n;
}
