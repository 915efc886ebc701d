// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks at the end of a task.
 *
 *   notify   do_notify_parent(tsk, sig)
 *	decides what becomes of a process that died: the caller makes it
 *	EXIT_DEAD and releases it when this returns true, else it is a zombie.
 *   detach   __ptrace_detach(tracer, p)
 *	asks do_notify_parent() for a dead tracee, unless the tracer's process is
 *	its parent. Not needed where a mark is a bit that the kernel looks at.
 *   poll     pidfd_poll(file, pts)
 *	for kernels whose pidfds do not say EPOLLHUP.
 *   release  release_task(p)
 *	with p == current in one place only: exit_notify(), which has made
 *	current EXIT_DEAD. wait4(), ptrace and reparenting pass over such a
 *	task, so it can as well be released a little later by someone else.
 *   end      zap_pid_ns_processes(ns)
 *	is called by the init of a pid namespace when it dies, and waits until all
 *	others of the namespace have been released.
 *
 * What a death means is decided by death.c, and who releases the task by release.c.
 */
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched/task.h>
#include <linux/static_call.h>

#include "compat.h"
#include "death.h"
#include "drain.h"
#include "hook.h"
#include "hooks.h"
#include "mark.h"
#include "release.h"
#include "zombie.h"

static DEFINE_PER_CPU(unsigned long, notify_hits);

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

	kwaitd_hook_enter(&notify_hits);
	kwaitd_hook_pass(fregs, (unsigned long)kwaitd_notify_pass);
	kwaitd_zombies_locked(tsk);
	if (kwaitd_death_decide(tsk))
		kwaitd_hook_take(fregs, (unsigned long)kwaitd_notify_taken);
	kwaitd_hook_leave();
}

struct kwaitd_hook kwaitd_hook_on_notify = {
	.name = "notify",
	.symbol = "do_notify_parent",
	.ops = { .func = kwaitd_hook_notify, .flags = KWAITD_HOOK_TAKES },
	.hits = &notify_hits,
	.body = &STATIC_CALL_KEY(kwaitd_notify_body),
	.body_tramp = STATIC_CALL_TRAMP_ADDR(kwaitd_notify_body),
};

static DEFINE_PER_CPU(unsigned long, detach_hits);

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

	kwaitd_hook_enter(&detach_hits);
	kwaitd_hook_pass(fregs, (unsigned long)kwaitd_detach_pass);
	if (thread_group_leader(p) && kwaitd_mark_test(p))
		kwaitd_hook_take(fregs, (unsigned long)kwaitd_detach_taken);
	kwaitd_hook_leave();
}

struct kwaitd_hook kwaitd_hook_on_detach = {
	.name = "detach",
	.symbol = "__ptrace_detach",
	.ops = { .func = kwaitd_hook_detach, .flags = KWAITD_HOOK_TAKES },
	.hits = &detach_hits,
	.body = &STATIC_CALL_KEY(kwaitd_detach_body),
	.body_tramp = STATIC_CALL_TRAMP_ADDR(kwaitd_detach_body),
	.native = KWAITD_NATIVE_MARK,
	.optional = true,
};

static DEFINE_PER_CPU(unsigned long, poll_hits);

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
	kwaitd_hook_enter(&poll_hits);
	kwaitd_hook_pass(fregs, (unsigned long)kwaitd_poll_pass);
	if (kwaitd_mark_any() &&
	    kwaitd_mark_known(pidfd_poll_pid(kwaitd_hook_argument(fregs, 0))))
		kwaitd_hook_take(fregs, (unsigned long)kwaitd_poll_taken);
	kwaitd_hook_leave();
}

struct kwaitd_hook kwaitd_hook_on_poll = {
	.name = "poll",
	.symbol = "pidfd_poll",
	.ops = { .func = kwaitd_hook_poll, .flags = KWAITD_HOOK_TAKES },
	.hits = &poll_hits,
	.body = &STATIC_CALL_KEY(kwaitd_poll_body),
	.body_tramp = STATIC_CALL_TRAMP_ADDR(kwaitd_poll_body),
	.native = KWAITD_NATIVE_HANGUP,
	.optional = true,
};

static DEFINE_PER_CPU(unsigned long, release_hits);

static notrace void kwaitd_release_pass(struct task_struct *p)
{
	static_call(kwaitd_release_body)(p);
}

/* What runs in release_task()'s stead when the task was queued. */
static noinline notrace void kwaitd_release_skipped(void)
{
	barrier();
}

/* What runs in its stead when dead threads of the process of p are to be released first. */
static void kwaitd_release_collecting(struct task_struct *p)
{
	kwaitd_release_collect(p);
	static_call(kwaitd_release_body)(p);
	module_put(THIS_MODULE);
}

/* ... and when p, which is queued, is to be released with them. */
static void kwaitd_release_collecting_all(struct task_struct *p)
{
	kwaitd_release_collect(p);
	module_put(THIS_MODULE);
}

static void kwaitd_hook_release(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct task_struct *p = kwaitd_hook_argument(fregs, 0);

	kwaitd_hook_enter(&release_hits);
	kwaitd_hook_pass(fregs, (unsigned long)kwaitd_release_pass);
	switch (kwaitd_release_decide(p, kwaitd_death_kind(p))) {
	case KWAITD_RELEASE_NOW:
		break;
	case KWAITD_RELEASE_LATER:
		kwaitd_hook_redirect(fregs, (unsigned long)kwaitd_release_skipped);
		break;
	case KWAITD_RELEASE_COLLECT:
		kwaitd_hook_take(fregs, (unsigned long)kwaitd_release_collecting);
		break;
	case KWAITD_RELEASE_COLLECT_ALL:
		kwaitd_hook_redirect(fregs, (unsigned long)kwaitd_release_skipped);
		kwaitd_hook_take(fregs, (unsigned long)kwaitd_release_collecting_all);
		break;
	}
	kwaitd_hook_leave();
}

struct kwaitd_hook kwaitd_hook_on_release = {
	.name = "release",
	.symbol = "release_task",
	.ops = { .func = kwaitd_hook_release, .flags = KWAITD_HOOK_TAKES },
	.hits = &release_hits,
	.body = &STATIC_CALL_KEY(kwaitd_release_body),
	.body_tramp = STATIC_CALL_TRAMP_ADDR(kwaitd_release_body),
};

static DEFINE_PER_CPU(unsigned long, end_hits);

static void end_nothing(struct pid_namespace *ns)
{
}

DEFINE_STATIC_CALL(kwaitd_end_body, end_nothing);

static notrace void kwaitd_end_pass(struct pid_namespace *ns)
{
	static_call(kwaitd_end_body)(ns);
}

/*
 * A namespace may take for ever to come to its end, as when somebody outside does not wait
 * for a zombie of it. That must not keep the module loaded. So nothing comes back from the
 * body to this module, as from name_pass().
 */
static void kwaitd_end_taken(struct pid_namespace *ns)
{
	kwaitd_release_collect_namespace(ns);
	module_put(THIS_MODULE);
	static_call(kwaitd_end_body)(ns);
}

static void kwaitd_hook_end(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	kwaitd_hook_enter(&end_hits);
	kwaitd_hook_pass(fregs, (unsigned long)kwaitd_end_pass);
	if (kwaitd_release_may_collect())
		kwaitd_hook_take(fregs, (unsigned long)kwaitd_end_taken);
	kwaitd_hook_leave();
}

struct kwaitd_hook kwaitd_hook_on_end = {
	.name = "end",
	.symbol = "zap_pid_ns_processes",
	.ops = { .func = kwaitd_hook_end, .flags = KWAITD_HOOK_TAKES },
	.hits = &end_hits,
	.body = &STATIC_CALL_KEY(kwaitd_end_body),
	.body_tramp = STATIC_CALL_TRAMP_ADDR(kwaitd_end_body),
	.optional = true,
};
