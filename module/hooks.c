// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks: the places where the kernel creates a task, tells of its death, and frees it.
 * Each asks another file what to do, and may have something else run in place of the
 * function (hook.h says how). What a birth or a death means is decided elsewhere: mark.c,
 * auto.c and adopt.c, death.c, queue.c.
 *
 *   fork     cgroup_post_fork(child, kargs)
 *	copy_process() calls it for every child once nothing can fail any more
 *	and before the child first runs, in the parent's context.
 *   notify   do_notify_parent(tsk, sig)
 *	decides what becomes of a process that died: the caller makes it
 *	EXIT_DEAD and releases it when this returns true, else it is a zombie.
 *   detach   __ptrace_detach(tracer, p)
 *	asks do_notify_parent() for a dead tracee, unless the tracer's process is
 *	its parent. Not needed where a mark is a bit that the kernel looks at.
 *   clone3   copy_clone_args_from_user(kargs, uargs, usize)
 *	before clone3() looks at its flags, for kernels that refuse CLONE_AUTOREAP.
 *   poll     pidfd_poll(file, pts)
 *	for kernels whose pidfds do not say EPOLLHUP.
 *   release  release_task(p)
 *	with p == current in one place only: exit_notify(), which has made
 *	current EXIT_DEAD. wait4(), ptrace and reparenting pass over such a
 *	task, so it can as well be released a little later by someone else.
 *
 * Context: handlers run with preemption off, and on PREEMPT_RT too: nothing in
 * them sleeps, takes a spinlock_t or, on RT, allocates.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/poll.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>

#include "adopt.h"
#include "auto.h"
#include "clone3.h"
#include "compat.h"
#include "death.h"
#include "hook.h"
#include "hooks.h"
#include "mark.h"
#include "param.h"
#include "queue.h"
#include "status.h"
#include "zombie.h"

enum {
	HOOK_FORK,
	HOOK_RELEASE,
	HOOK_NOTIFY,
	HOOK_DETACH,
	HOOK_CLONE3,
	HOOK_POLL,
	NR_HOOKS,
};

/* Only ever changed by this_cpu_inc() */
static DEFINE_PER_CPU(unsigned long [NR_HOOKS], hits);

static void enter(unsigned int hook)
{
	preempt_disable_notrace();
	this_cpu_inc(hits[hook]);
}

static void leave(void)
{
	preempt_enable_notrace();
}

static void kwaitd_hook_fork(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct task_struct *child = kwaitd_hook_argument(fregs, 0);
	struct kernel_clone_args *kargs = kwaitd_hook_argument(fregs, 1);
	u64 flags = kwaitd_clone3_flags(kargs);

	enter(HOOK_FORK);
	if (unlikely(flags & (CLONE_DETACHED | CLONE_PARENT | CLONE_AUTOREAP |
			      CLONE_NNP))) {
		kwaitd_mark_fork(child, flags);
		if (kwaitd_mark_any())
			kwaitd_status_watch();
	}
	/* The function is about to move the child to this cgroup. */
	if (unlikely(READ_ONCE(kwaitd_auto_on)))
		kwaitd_auto_fork(child, kargs->cset->dfl_cgrp);
	if (kwaitd_adopt_any())
		kwaitd_adopt_fork(child);
	leave();
}

static bool notify_nobody(struct task_struct *tsk, int sig)
{
	return false;
}

DEFINE_STATIC_CALL(kwaitd_notify_body, notify_nobody);

static notrace bool kwaitd_notify_pass(struct task_struct *tsk, int sig)
{
	return static_call(kwaitd_notify_body)(tsk, sig);
}

/*
 * Nobody is told of the death of tsk: no signal, and the kernel reaps it.
 *
 * A parent that has called execve() since the fork, as parent_exec_id tells, would get
 * SIGCHLD instead of whatever the signal is, none included. So tsk gets the parent's own
 * id. tasklist_lock is held for writing, which protects parent_exec_id and tsk->parent, and
 * nobody else asks for the id once its task is dead. A parent in execve() right now, whose
 * own id is not protected, may still get that signal.
 */
static bool kwaitd_notify_taken(struct task_struct *tsk, int sig)
{
	struct task_struct *parent = rcu_dereference_protected(tsk->parent, true);

	tsk->parent_exec_id = READ_ONCE(parent->self_exec_id);
	static_call(kwaitd_notify_body)(tsk, 0);
	/* The release hook is next to see current. */
	if (tsk != current)
		kwaitd_death_of_other(tsk);
	module_put(THIS_MODULE);
	return true;
}

static void kwaitd_hook_notify(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct task_struct *tsk = kwaitd_hook_argument(fregs, 0);

	enter(HOOK_NOTIFY);
	kwaitd_hook_pass(fregs, (unsigned long)kwaitd_notify_pass);
	kwaitd_zombies_locked(tsk);
	if (kwaitd_death_decide(tsk))
		kwaitd_hook_take(fregs, (unsigned long)kwaitd_notify_taken);
	leave();
}

static bool detach_nobody(struct task_struct *tracer, struct task_struct *p)
{
	return false;
}

DEFINE_STATIC_CALL(kwaitd_detach_body, detach_nobody);

static notrace bool kwaitd_detach_pass(struct task_struct *tracer,
				       struct task_struct *p)
{
	return static_call(kwaitd_detach_body)(tracer, p);
}

/*
 * Problem: a dead process, which is traced by a thread of its parent, is detached as that
 * thread exits. The kernel does not call do_notify_parent() for it: it thinks that this
 * parent knows already.
 * Trick: the kernel uses the argument tracer for nothing but to find out whether the tracer
 * is the parent. With init_task as the tracer it is not, and the kernel calls.
 * Safe: tasklist_lock is held for writing, and nothing is written to init_task.
 */
static bool kwaitd_detach_taken(struct task_struct *tracer, struct task_struct *p)
{
	bool dead = static_call(kwaitd_detach_body)(&init_task, p);

	module_put(THIS_MODULE);
	return dead;
}

static void kwaitd_hook_detach(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct task_struct *p = kwaitd_hook_argument(fregs, 1);

	enter(HOOK_DETACH);
	kwaitd_hook_pass(fregs, (unsigned long)kwaitd_detach_pass);
	if (thread_group_leader(p) && kwaitd_mark_test(p))
		kwaitd_hook_take(fregs, (unsigned long)kwaitd_detach_taken);
	leave();
}

static int clone3_refused(struct kernel_clone_args *kargs,
			  struct clone_args __user *uargs, size_t usize)
{
	return -EINVAL;
}

DEFINE_STATIC_CALL(kwaitd_clone3_body, clone3_refused);

static notrace int kwaitd_clone3_pass(struct kernel_clone_args *kargs,
				      struct clone_args __user *uargs, size_t usize)
{
	return static_call(kwaitd_clone3_body)(kargs, uargs, usize);
}

static int kwaitd_clone3_taken(struct kernel_clone_args *kargs,
			       struct clone_args __user *uargs, size_t usize)
{
	int err = static_call(kwaitd_clone3_body)(kargs, uargs, usize) ?:
		  kwaitd_clone3_args(kargs);

	module_put(THIS_MODULE);
	return err;
}

/*
 * Nearly every clone3() is spared the rest by a look at the flags that will be copied. If
 * they are not in memory they may be anything. Who changes the flags after the look gets
 * what this kernel says of them.
 */
static void kwaitd_hook_clone3(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct clone_args __user *uargs = (void __user *)kwaitd_hook_argument(fregs, 1);
	u64 flags;

	enter(HOOK_CLONE3);
	kwaitd_hook_pass(fregs, (unsigned long)kwaitd_clone3_pass);
	/* Until the module is live the load may fail, and it does not wait for sleepers. */
	if (READ_ONCE(kwaitd_live) &&
	    (copy_from_user_nofault(&flags, &uargs->flags, sizeof(flags)) ||
	     (flags & (CLONE_AUTOREAP | CLONE_NNP | CLONE_PARENT))))
		kwaitd_hook_take(fregs, (unsigned long)kwaitd_clone3_taken);
	leave();
}

static __poll_t poll_nothing(struct file *file, struct poll_table_struct *pts)
{
	return 0;
}

DEFINE_STATIC_CALL(kwaitd_poll_body, poll_nothing);

static notrace __poll_t kwaitd_poll_pass(struct file *file,
					 struct poll_table_struct *pts)
{
	return static_call(kwaitd_poll_body)(file, pts);
}

static __poll_t kwaitd_poll_taken(struct file *file,
				  struct poll_table_struct *pts)
{
	__poll_t events = static_call(kwaitd_poll_body)(file, pts);

	/*
	 * Pairs with the wake-up in status.c: either it finds the caller of poll()
	 * in the queue, or the process is seen to be gone here.
	 */
	if (kwaitd_mark_gone(pidfd_poll_pid(file)))
		events |= EPOLLHUP;
	module_put(THIS_MODULE);
	return events;
}

static void kwaitd_hook_poll(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	enter(HOOK_POLL);
	kwaitd_hook_pass(fregs, (unsigned long)kwaitd_poll_pass);
	if (kwaitd_mark_any() &&
	    kwaitd_mark_known(pidfd_poll_pid(kwaitd_hook_argument(fregs, 0))))
		kwaitd_hook_take(fregs, (unsigned long)kwaitd_poll_taken);
	leave();
}

static notrace void kwaitd_release_pass(struct task_struct *p)
{
	static_call(kwaitd_release_body)(p);
}

/* What runs in release_task()'s stead when the task was queued. */
static noinline notrace void kwaitd_release_skipped(void)
{
	barrier();
}

static void kwaitd_hook_release(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct task_struct *p = kwaitd_hook_argument(fregs, 0);
	enum kwaitd_kind kind;

	enter(HOOK_RELEASE);
	kwaitd_hook_pass(fregs, (unsigned long)kwaitd_release_pass);
	kind = kwaitd_death_kind(p);
	/* If p is another task, this is somebody's wait4() or execve(). */
	if (p == current && kwaitd_queue_task(p, kind))
		kwaitd_hook_redirect(fregs, (unsigned long)kwaitd_release_skipped);
	leave();
}

/* In the order of registration. A native one is not registered. */
static struct kwaitd_hook hooks[NR_HOOKS] = {
	[HOOK_FORK] = {
		"fork", "cgroup_post_fork",
		.ops = { .func = kwaitd_hook_fork, .flags = KWAITD_HOOK_LOOKS },
	},
	[HOOK_RELEASE] = {
		"release", "release_task",
		.ops = { .func = kwaitd_hook_release, .flags = KWAITD_HOOK_TAKES },
	},
	[HOOK_NOTIFY] = {
		"notify", "do_notify_parent",
		.ops = { .func = kwaitd_hook_notify, .flags = KWAITD_HOOK_TAKES },
	},
	[HOOK_DETACH] = {
		"detach", "__ptrace_detach",
		.ops = { .func = kwaitd_hook_detach, .flags = KWAITD_HOOK_TAKES },
		.native = KWAITD_NATIVE_MARK, .optional = true,
	},
	[HOOK_CLONE3] = {
		"clone3", "copy_clone_args_from_user",
		.ops = { .func = kwaitd_hook_clone3, .flags = KWAITD_HOOK_TAKES },
		.native = KWAITD_NATIVE_CLONE3, .optional = true,
	},
	[HOOK_POLL] = {
		"poll", "pidfd_poll",
		.ops = { .func = kwaitd_hook_poll, .flags = KWAITD_HOOK_TAKES },
		.native = KWAITD_NATIVE_HANGUP, .optional = true,
	},
};

static void hooks_unregister(void)
{
	struct kwaitd_hook *h;

	for (h = hooks + NR_HOOKS; h-- > hooks;)
		kwaitd_hook_unregister(h);
}

static void find_bodies(void)
{
	if (hooks[HOOK_RELEASE].addr)
		static_call_update(kwaitd_release_body, kwaitd_hook_body(&hooks[HOOK_RELEASE]));
	if (hooks[HOOK_NOTIFY].addr)
		static_call_update(kwaitd_notify_body, kwaitd_hook_body(&hooks[HOOK_NOTIFY]));
	if (hooks[HOOK_DETACH].addr)
		static_call_update(kwaitd_detach_body, kwaitd_hook_body(&hooks[HOOK_DETACH]));
	if (hooks[HOOK_CLONE3].addr)
		static_call_update(kwaitd_clone3_body, kwaitd_hook_body(&hooks[HOOK_CLONE3]));
	if (hooks[HOOK_POLL].addr)
		static_call_update(kwaitd_poll_body, kwaitd_hook_body(&hooks[HOOK_POLL]));
}

/**
 * kwaitd_hooks_init() - arm all hooks
 *
 * Context: process context; may sleep.
 * Return: 0; or what kwaitd_hook_register() said of the first that could not be had, with
 * none left armed.
 */
int kwaitd_hooks_init(void)
{
	struct kwaitd_hook *h;
	int err;

	/* Whether this one is wanted, and needed, is the user's choice. */
	hooks[HOOK_CLONE3].native |= kwaitd_clone3 == KWAITD_CLONE3_OFF;
	hooks[HOOK_CLONE3].optional = kwaitd_clone3 == KWAITD_CLONE3_AUTO;

	for (h = hooks; h < hooks + NR_HOOKS; h++)
		h->addr = h->native ? 0 : kwaitd_hook_symbol(h->symbol);
	find_bodies();
	for (h = hooks; h < hooks + NR_HOOKS; h++) {
		err = h->native ? 0 : kwaitd_hook_register(h);
		if (!err)
			continue;
		pr_err("cannot hook %s (%s): %pe\n", h->name, h->symbol,
		       ERR_PTR(err));
		if (h->optional)
			continue;
		hooks_unregister();
		return err;
	}
	return 0;
}

/**
 * kwaitd_hooks_exit() - disarm all hooks
 *
 * Context: process context; sleeps until no task can be in this file.
 */
void kwaitd_hooks_exit(void)
{
	hooks_unregister();
	/* A task may have been preempted in what ran in place of a function. */
	synchronize_rcu_tasks();
}

static unsigned long hook_hits(unsigned int hook)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(hits[hook], cpu));
	return sum;
}

/**
 * kwaitd_hooks_clone3() - does clone3() know CLONE_AUTOREAP now?
 *
 * Context: any.
 */
bool kwaitd_hooks_clone3(void)
{
	return KWAITD_NATIVE_CLONE3 || hooks[HOOK_CLONE3].registered;
}

/**
 * kwaitd_hooks_silent() - is there a hook that should have fired and has not?
 *
 * Context: any, when a thread has been born and died.
 * Return: the symbol it is in, or NULL.
 */
const char *kwaitd_hooks_silent(void)
{
	unsigned int i;

	for (i = HOOK_FORK; i <= HOOK_NOTIFY; i++) {
		if (hooks[i].registered && !hook_hits(i))
			return hooks[i].symbol;
	}
	return NULL;
}

/**
 * kwaitd_hooks_show() - the contents of /sys/kernel/debug/kwaitd/hooks
 * @m: where to
 *
 * Context: process context.
 */
void kwaitd_hooks_show(struct seq_file *m)
{
	const struct kwaitd_hook *h;

	seq_printf(m, "%-8s %-26s %5s %12s\n", "hook", "symbol", "armed", "hits");
	for (h = hooks; h < hooks + NR_HOOKS; h++) {
		if (!h->native)
			seq_printf(m, "%-8s %-26s %5d %12lu\n", h->name,
				   h->symbol, h->registered, hook_hits(h - hooks));
	}
}
