// SPDX-License-Identifier: GPL-2.0
/*
 * The probes: where the kernel creates a task, tells of its death, and frees
 * it. Each handler asks mark.c or reaper.c and changes what the probed
 * function is about to do; none of them decides anything itself.
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
 * A probe that is disarmed or missed means stock behaviour: an ordinary child,
 * an ordinary zombie, an ordinary release.
 *
 * Context: handlers run with preemption off, and on PREEMPT_RT too: nothing in
 * them sleeps, takes a spinlock_t or, on RT, allocates.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>

#include "adopt.h"
#include "compat.h"
#include "kwaitd.h"

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

/*
 * What clone3() was asked for that this kernel does not know goes from its hook to
 * the fork hook in fn_arg: the argument of fn, which a kernel thread starts in, and
 * NULL as fn is in a clone of user space.
 */
static u64 clone_flags(const struct kernel_clone_args *kargs)
{
	return kargs->flags | (kargs->fn ? 0 : (unsigned long)kargs->fn_arg);
}

static int kwaitd_fork_pre(struct kprobe *kp, struct pt_regs *regs)
{
	struct task_struct *child = (void *)regs_get_kernel_argument(regs, 0);
	struct kernel_clone_args *kargs =
		(void *)regs_get_kernel_argument(regs, 1);
	u64 flags = clone_flags(kargs);

	this_cpu_inc(hits[HOOK_FORK]);
	if (unlikely(flags & (CLONE_DETACHED | CLONE_PARENT | CLONE_AUTOREAP |
			      CLONE_NNP)))
		kwaitd_mark_fork(child, flags);
	/* The function is about to move the child there. */
	kwaitd_adopt_fork(child, kargs->cset->dfl_cgrp);
	return 0;
}

NOKPROBE_SYMBOL(kwaitd_fork_pre);

static struct kprobe fork_probe = {
	.symbol_name	= "cgroup_post_fork",
	.pre_handler	= kwaitd_fork_pre,
};

/* Whose notification was taken over */
struct notified {
	struct task_struct *tsk;
	bool orphan;
};

/*
 * All callers hold tasklist_lock for writing. A nonzero return lets the
 * function go its way.
 */
static int kwaitd_notify_entry(struct kretprobe_instance *ri,
			       struct pt_regs *regs)
{
	struct task_struct *tsk = (void *)regs_get_kernel_argument(regs, 0);
	struct notified *notified = (void *)ri->data;
	struct task_struct *parent;

	this_cpu_inc(hits[HOOK_NOTIFY]);
	kwaitd_sweep_step(tsk);
	/* A tracer waits for its tracee whatever that was created as. */
	if (tsk->ptrace)
		return 1;
	notified->orphan = !kwaitd_mark_test(tsk);
	if (notified->orphan && !kwaitd_adopt_takes(tsk))
		return 1;

	/*
	 * No signal. A parent that has called execve() since the fork, as
	 * parent_exec_id tells, would get SIGCHLD instead of whatever it is, none
	 * included. tasklist_lock protects it and tsk->parent, and nobody else
	 * asks for it once its task is dead.
	 */
	regs_set_kernel_argument1(regs, 0);
	parent = rcu_dereference_protected(tsk->parent, true);
	tsk->parent_exec_id = READ_ONCE(parent->self_exec_id);
	notified->tsk = tsk;
	return 0;
}

NOKPROBE_SYMBOL(kwaitd_notify_entry);

static int kwaitd_notify_return(struct kretprobe_instance *ri,
				struct pt_regs *regs)
{
	struct notified *notified = (void *)ri->data;

	regs_set_return_value(regs, true);
	/* The release hook is next to see current. */
	if (notified->tsk == current)
		return 0;
	/*
	 * Others are released as the kernel has it. release_task() of the last thread
	 * goes on with its leader, which died before, by itself.
	 */
	if (notified->orphan)
		kwaitd_reaper_inline(notified->tsk);
	else
		kwaitd_mark_release(notified->tsk);
	return 0;
}

NOKPROBE_SYMBOL(kwaitd_notify_return);

/* tasklist_lock lets one instance live at a time, so the default is plenty. */
static struct kretprobe notify_probe = {
	.kp.symbol_name	= "do_notify_parent",
	.entry_handler	= kwaitd_notify_entry,
	.handler	= kwaitd_notify_return,
	.data_size	= sizeof(struct notified),
};

/*
 * A dead process whose tracer lets go of it, by exiting in a thread of the parent,
 * was never heard of by do_notify_parent(): the kernel thinks that this parent
 * knows already. It uses the tracer for nothing but to find that out, so with
 * another one it asks. tasklist_lock is held for writing.
 */
static int kwaitd_detach_pre(struct kprobe *kp, struct pt_regs *regs)
{
	struct task_struct *p = (void *)regs_get_kernel_argument(regs, 1);

	this_cpu_inc(hits[HOOK_DETACH]);
	if (thread_group_leader(p) && kwaitd_mark_test(p))
		regs_set_kernel_argument0(regs, (unsigned long)&init_task);
	return 0;
}

NOKPROBE_SYMBOL(kwaitd_detach_pre);

static struct kprobe detach_probe = {
	.symbol_name	= "__ptrace_detach",
	.pre_handler	= kwaitd_detach_pre,
};

/* Both kretprobes below need the first argument when the function returns. */
static int keep_argument(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*(unsigned long *)ri->data = regs_get_kernel_argument(regs, 0);
	return 0;
}

NOKPROBE_SYMBOL(keep_argument);

static int kwaitd_clone3_return(struct kretprobe_instance *ri,
				struct pt_regs *regs)
{
	struct kernel_clone_args *kargs = *(void **)ri->data;
	int err = regs_return_value(regs);

	this_cpu_inc(hits[HOOK_CLONE3]);
	if (!err)
		regs_set_return_value(regs, kwaitd_clone3_args(kargs));
	return 0;
}

NOKPROBE_SYMBOL(kwaitd_clone3_return);

/*
 * The function sleeps when the arguments are not in memory, for as long as whoever
 * handles the fault likes. A call that finds no instance is counted, and gets
 * EINVAL if it asks for a flag that the kernel does not know.
 */
static struct kretprobe clone3_probe = {
	.kp.symbol_name	= "copy_clone_args_from_user",
	.entry_handler	= keep_argument,
	.handler	= kwaitd_clone3_return,
	.data_size	= sizeof(unsigned long),
	.maxactive	= 1024,
};

static int kwaitd_poll_return(struct kretprobe_instance *ri,
			      struct pt_regs *regs)
{
	struct pid *pid = pidfd_poll_pid(*(struct file **)ri->data);

	this_cpu_inc(hits[HOOK_POLL]);
	/*
	 * Pairs with the wake-up in status.c: either it finds the caller of poll()
	 * in the queue, or the process is seen to be gone here.
	 */
	if (kwaitd_mark_gone(pid))
		regs_set_return_value(regs, regs_return_value(regs) |
				      (__force unsigned long)EPOLLHUP);
	return 0;
}

NOKPROBE_SYMBOL(kwaitd_poll_return);

/* Sleeps only when poll() has so many descriptors that it needs more memory. */
static struct kretprobe poll_probe = {
	.kp.symbol_name	= "pidfd_poll",
	.entry_handler	= keep_argument,
	.handler	= kwaitd_poll_return,
	.data_size	= sizeof(unsigned long),
	.maxactive	= 256,
};

/* What runs in release_task()'s stead when the task was queued. */
static noinline notrace void kwaitd_release_skipped(void)
{
	barrier();
}

NOKPROBE_SYMBOL(kwaitd_release_skipped);

static enum kwaitd_kind thread_kind(struct task_struct *p)
{
	return kwaitd_mark_test_thread(p) ? KWAITD_KIND_DETACHED :
					    KWAITD_KIND_OTHER;
}

/* Its marks end here. */
static enum kwaitd_kind process_kind(struct task_struct *p)
{
	enum kwaitd_kind kind = KWAITD_KIND_OTHER;

	if (kwaitd_mark_release(p) || signal_autoreap(p->signal))
		kind = KWAITD_KIND_DETACHED;
	else if (p == current && kwaitd_adopt_orphan(p))
		kind = KWAITD_KIND_ORPHAN;
	kwaitd_adopt_released(p);
	return kind;
}

static int kwaitd_release_pre(struct kprobe *kp, struct pt_regs *regs)
{
	struct task_struct *p = (void *)regs_get_kernel_argument(regs, 0);
	enum kwaitd_kind kind;

	this_cpu_inc(hits[HOOK_RELEASE]);
	kind = thread_group_leader(p) ? process_kind(p) : thread_kind(p);
	/* Someone else's release: wait4(), execve(), kwaitd itself. */
	if (p != current || !kwaitd_reaper_queue(p, kind))
		return 0;

	regs_skip_function(regs, kwaitd_release_skipped);
	return 1;
}

NOKPROBE_SYMBOL(kwaitd_release_pre);

/*
 * By having one a kprobe says that it may change the ip: on an ftrace site that
 * keeps livepatch and the like away, elsewhere it prevents the optimisation into
 * a jump, which would ignore the ip.
 */
static void kwaitd_release_post(struct kprobe *kp, struct pt_regs *regs,
				unsigned long flags)
{
}

NOKPROBE_SYMBOL(kwaitd_release_post);

static struct kprobe release_probe = {
	.symbol_name	= "release_task",
	.pre_handler	= kwaitd_release_pre,
	.post_handler	= kwaitd_release_post,
};

/*
 * In the order of registration. A hook is a kprobe or a kretprobe. A native one
 * is not registered, since the kernel does by itself what it is for.
 */
static struct hook {
	const char *name;
	struct kprobe *kp;
	struct kretprobe *rp;
	bool native;
	bool optional;		/* its absence costs no more than what it is for */
	bool registered;
} hooks[NR_HOOKS] = {
	[HOOK_FORK] = { "fork", &fork_probe },
	[HOOK_RELEASE] = { "release", &release_probe },
	[HOOK_NOTIFY] = { "notify", &notify_probe.kp, &notify_probe },
	[HOOK_DETACH] = {
		"detach", &detach_probe,
		.native = KWAITD_NATIVE_MARK, .optional = true,
	},
	[HOOK_CLONE3] = {
		"clone3", &clone3_probe.kp, &clone3_probe,
		.native = KWAITD_NATIVE_CLONE3, .optional = true,
	},
	[HOOK_POLL] = {
		"poll", &poll_probe.kp, &poll_probe,
		.native = KWAITD_NATIVE_HANGUP, .optional = true,
	},
};

/*
 * A kprobe with a post_handler must be the first at its address: joining one
 * without does not re-arm it, and then the kernel can disarm neither. So see
 * whether a harmless one is alone.
 */
static int release_symbol_free(void)
{
	struct kprobe scout = { .symbol_name = release_probe.symbol_name };
	int err = register_kprobe(&scout);

	if (err)
		return err;
	if (!list_empty(&scout.list))
		err = -EBUSY;
	unregister_kprobe(&scout);
	return err;
}

static int hook_register(struct hook *h)
{
	int err = h->kp == &release_probe ? release_symbol_free() : 0;

	if (!err)
		err = h->rp ? register_kretprobe(h->rp) : register_kprobe(h->kp);
	h->registered = !err;
	return err;
}

static void hooks_unregister(void)
{
	struct hook *h;

	for (h = hooks + NR_HOOKS; h-- > hooks;) {
		if (!h->registered)
			continue;
		if (h->rp)
			unregister_kretprobe(h->rp);
		else
			unregister_kprobe(h->kp);
		h->registered = false;
	}
}

/**
 * kwaitd_hooks_init() - arm all hooks
 *
 * Context: process context; may sleep.
 * Return: 0, or what register_kprobe() said of the first that could not be
 * had, with none left armed: -ENOENT when the kernel has no such symbol, -EBUSY
 * when someone else has a kprobe, or livepatch a patch, in release_task().
 */
int kwaitd_hooks_init(void)
{
	struct hook *h;
	int err;

	/* What it takes depends on what its user has chosen. */
	hooks[HOOK_CLONE3].native |= kwaitd_clone3 == KWAITD_CLONE3_OFF;
	hooks[HOOK_CLONE3].optional = kwaitd_clone3 == KWAITD_CLONE3_AUTO;

	for (h = hooks; h < hooks + NR_HOOKS; h++) {
		err = h->native ? 0 : hook_register(h);
		if (!err)
			continue;
		pr_err("cannot hook %s (%s): %pe\n", h->name,
		       h->kp->symbol_name, ERR_PTR(err));
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
	/*
	 * Handlers are gone, but a task may have been preempted inside
	 * kwaitd_release_skipped(), which is no handler.
	 */
	synchronize_rcu_tasks();
}

/**
 * kwaitd_hooks_release_addr() - where release_task() is
 *
 * With IBT that is past its ENDBR64, the address to probe; a direct call may
 * go there, an indirect one may not.
 *
 * Context: any, once the hooks are armed.
 * Return: an address to call directly.
 */
unsigned long kwaitd_hooks_release_addr(void)
{
	return (unsigned long)release_probe.addr;
}

static unsigned long hook_hits(unsigned int hook)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(hits[hook], cpu);
	return sum;
}

/**
 * kwaitd_hooks_symbol() - where a function is that is not exported
 * @name: of a global one
 *
 * Context: process context; may sleep.
 * Return: an address to call directly, see kwaitd_hooks_release_addr(); 0 if the
 * kernel has no such function.
 */
unsigned long kwaitd_hooks_symbol(const char *name)
{
	struct kprobe scout = { .symbol_name = name };

	if (register_kprobe(&scout))
		return 0;
	unregister_kprobe(&scout);
	return (unsigned long)scout.addr;
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
			return hooks[i].kp->symbol_name;
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
	const struct hook *h;
	unsigned int i;

	seq_printf(m, "%-8s %-26s %-10s %5s %12s %8s\n",
		   "hook", "symbol", "kind", "armed", "hits", "nmissed");
	for (i = 0; i < NR_HOOKS; i++) {
		h = &hooks[i];
		if (h->native)
			continue;
		seq_printf(m, "%-8s %-26s %-10s %5d %12lu %8lu\n",
			   h->name, h->kp->symbol_name,
			   h->rp ? "kretprobe" : "kprobe",
			   h->registered && !kprobe_disabled(h->kp), hook_hits(i),
			   h->kp->nmissed + (h->rp ? h->rp->nmissed : 0));
	}
}
