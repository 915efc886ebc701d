// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks: where the kernel creates a task, tells of its death, and frees
 * it. Each asks mark.c, adopt.c or reaper.c, and may have something else run in
 * place of the function; none of them decides anything itself.
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
 * They are ftrace_ops of their own, each with its own trampoline: that costs an
 * ordinary child less than kprobes at the same places, and neither kprobes turned
 * off nor kernel.ftrace_enabled=0 can take them away (FTRACE_OPS_FL_PERMANENT).
 * Those that may change the ip say so (FTRACE_OPS_FL_IPMODIFY), which keeps them
 * and livepatch out of each other's way.
 *
 * What runs in place of a function, name_taken(), calls its body: what follows the
 * call of the trampoline. So the hook does not see that, and other tracers see one
 * call where there was one.
 *
 * Context: handlers run with preemption off, and on PREEMPT_RT too: nothing in
 * them sleeps, takes a spinlock_t or, on RT, allocates.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>

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

static void enter(unsigned int hook)
{
	preempt_disable_notrace();
	this_cpu_inc(hits[hook]);
}

static void leave(void)
{
	preempt_enable_notrace();
}

static void *argument(struct ftrace_regs *fregs, unsigned int n)
{
	return (void *)ftrace_regs_get_argument(fregs, n);
}

/* Have something else run. */
static void skip(struct ftrace_regs *fregs, unsigned long instead)
{
	ftrace_regs_set_instruction_pointer(fregs, instead);
}

/*
 * Have something run that may sleep, on PREEMPT_RT where it takes a lock: with a
 * reference on the module, to be put as its last act. The few instructions that it
 * then still runs are what kwaitd_hooks_exit() waits for.
 */
static void take(struct ftrace_regs *fregs, unsigned long taken)
{
	/* Fails only when the module is on its way out. */
	if (try_module_get(THIS_MODULE))
		skip(fregs, taken);
}

/*
 * A BPF trampoline of the kinds that call the function themselves does so by what it
 * finds as the ip, and with IBT that must be an ENDBR64, which no body begins with.
 * Then what runs is name_pass(): the body, by a tail call, so that nothing comes back
 * to this module.
 */
static __always_inline void pass(struct ftrace_regs *fregs, unsigned long passed)
{
	if (cpu_feature_enabled(X86_FEATURE_IBT))
		skip(fregs, passed);
}

/*
 * What clone3() was asked for that this kernel does not know goes from its hook to
 * the fork hook in fn_arg: the argument of fn, which a kernel thread starts in, and
 * NULL as fn is in a clone of user space.
 */
static u64 clone_flags(const struct kernel_clone_args *kargs)
{
	return kargs->flags | (kargs->fn ? 0 : (unsigned long)kargs->fn_arg);
}

static void kwaitd_hook_fork(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct task_struct *child = argument(fregs, 0);
	struct kernel_clone_args *kargs = argument(fregs, 1);
	u64 flags = clone_flags(kargs);

	enter(HOOK_FORK);
	if (unlikely(flags & (CLONE_DETACHED | CLONE_PARENT | CLONE_AUTOREAP |
			      CLONE_NNP)))
		kwaitd_mark_fork(child, flags);
	/* The function is about to move the child there. */
	if (kwaitd_adopt_any() || unlikely(READ_ONCE(kwaitd_auto_on)))
		kwaitd_adopt_fork(child, kargs->cset->dfl_cgrp);
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
 * No signal: reap it. A parent that has called execve() since the fork, as
 * parent_exec_id tells, would get SIGCHLD instead of whatever it is, none included.
 * tasklist_lock is held for writing, which protects parent_exec_id and tsk->parent, and
 * nobody else asks for it once its task is dead. A parent in execve() right now, whose
 * own id is not protected, may still get that signal.
 */
static bool kwaitd_notify_taken(struct task_struct *tsk, int sig)
{
	struct task_struct *parent = rcu_dereference_protected(tsk->parent, true);

	tsk->parent_exec_id = READ_ONCE(parent->self_exec_id);
	static_call(kwaitd_notify_body)(tsk, 0);
	/*
	 * The release hook is next to see current. Others are released as the kernel
	 * has it: release_task() of the last thread goes on with its leader, which
	 * died before, by itself.
	 */
	if (tsk != current) {
		preempt_disable();
		kwaitd_adopt_released(tsk);
		if (!kwaitd_mark_release(tsk))
			kwaitd_reaper_inline(tsk);
		preempt_enable();
	}
	module_put(THIS_MODULE);
	return true;
}

/* A tracer waits for its tracee whatever that was created as. */
static void kwaitd_hook_notify(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct task_struct *tsk = argument(fregs, 0);

	enter(HOOK_NOTIFY);
	pass(fregs, (unsigned long)kwaitd_notify_pass);
	kwaitd_sweep_step(tsk);
	if (!tsk->ptrace && ((kwaitd_mark_any() && kwaitd_mark_test(tsk)) ||
			     (kwaitd_adopt_any() && kwaitd_adopt_takes(tsk))))
		take(fregs, (unsigned long)kwaitd_notify_taken);
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
 * A dead process whose tracer lets go of it, by exiting in a thread of the parent,
 * was never heard of by do_notify_parent(): the kernel thinks that this parent
 * knows already. It uses the tracer for nothing but to find that out, so with
 * another one it asks. tasklist_lock is held for writing.
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
	struct task_struct *p = argument(fregs, 1);

	enter(HOOK_DETACH);
	pass(fregs, (unsigned long)kwaitd_detach_pass);
	if (thread_group_leader(p) && kwaitd_mark_test(p))
		take(fregs, (unsigned long)kwaitd_detach_taken);
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
 * A look at what will be copied spares nearly every clone3() the rest. What is not
 * in memory may be anything; and who changes the flags meanwhile gets what this
 * kernel says of them.
 */
static void kwaitd_hook_clone3(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct clone_args __user *uargs = (void __user *)argument(fregs, 1);
	u64 flags;

	enter(HOOK_CLONE3);
	pass(fregs, (unsigned long)kwaitd_clone3_pass);
	/* Before that the load may fail, and does not wait for who sleeps. */
	if (READ_ONCE(kwaitd_live) &&
	    (copy_from_user_nofault(&flags, &uargs->flags, sizeof(flags)) ||
	     (flags & (CLONE_AUTOREAP | CLONE_NNP | CLONE_PARENT))))
		take(fregs, (unsigned long)kwaitd_clone3_taken);
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
	pass(fregs, (unsigned long)kwaitd_poll_pass);
	if (kwaitd_mark_any() &&
	    kwaitd_mark_known(pidfd_poll_pid(argument(fregs, 0))))
		take(fregs, (unsigned long)kwaitd_poll_taken);
	leave();
}

static void release_nothing(struct task_struct *p)
{
}

/* For reaper.c, too: past the hook */
DEFINE_STATIC_CALL(kwaitd_release_body, release_nothing);

static notrace void kwaitd_release_pass(struct task_struct *p)
{
	static_call(kwaitd_release_body)(p);
}

/* What runs in release_task()'s stead when the task was queued. */
static noinline notrace void kwaitd_release_skipped(void)
{
	barrier();
}

static enum kwaitd_kind thread_kind(struct task_struct *p)
{
	return kwaitd_mark_test_thread(p) ? KWAITD_KIND_DETACHED :
					    KWAITD_KIND_OTHER;
}

/* Its marks end here; that of an own child first, which also refers to the pid. */
static enum kwaitd_kind process_kind(struct task_struct *p)
{
	enum kwaitd_kind kind = KWAITD_KIND_OTHER;

	if (kwaitd_adopt_any()) {
		if (p == current && kwaitd_adopt_orphan(p))
			kind = KWAITD_KIND_ORPHAN;
		kwaitd_adopt_released(p);
	}
	if ((kwaitd_mark_any() && kwaitd_mark_release(p)) ||
	    signal_autoreap(p->signal))
		kind = KWAITD_KIND_DETACHED;
	return kind;
}

static void kwaitd_hook_release(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct task_struct *p = argument(fregs, 0);
	enum kwaitd_kind kind;

	enter(HOOK_RELEASE);
	pass(fregs, (unsigned long)kwaitd_release_pass);
	kind = thread_group_leader(p) ? process_kind(p) : thread_kind(p);
	/* Someone else's release: wait4(), execve(). */
	if (p == current && kwaitd_reaper_queue(p, kind))
		skip(fregs, (unsigned long)kwaitd_release_skipped);
	leave();
}

#define LOOKS FTRACE_OPS_FL_PERMANENT
#define TAKES (FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_IPMODIFY)

/*
 * In the order of registration. A native one is not registered, since the kernel
 * does by itself what it is for.
 */
static struct hook {
	const char *name;
	const char *symbol;
	struct ftrace_ops ops;
	unsigned long addr;
	bool native;
	bool optional;		/* its absence costs no more than what it is for */
	bool registered;
} hooks[NR_HOOKS] = {
	[HOOK_FORK] = {
		"fork", "cgroup_post_fork",
		.ops = { .func = kwaitd_hook_fork, .flags = LOOKS },
	},
	[HOOK_RELEASE] = {
		"release", "release_task",
		.ops = { .func = kwaitd_hook_release, .flags = TAKES },
	},
	[HOOK_NOTIFY] = {
		"notify", "do_notify_parent",
		.ops = { .func = kwaitd_hook_notify, .flags = TAKES },
	},
	[HOOK_DETACH] = {
		"detach", "__ptrace_detach",
		.ops = { .func = kwaitd_hook_detach, .flags = TAKES },
		.native = KWAITD_NATIVE_MARK, .optional = true,
	},
	[HOOK_CLONE3] = {
		"clone3", "copy_clone_args_from_user",
		.ops = { .func = kwaitd_hook_clone3, .flags = TAKES },
		.native = KWAITD_NATIVE_CLONE3, .optional = true,
	},
	[HOOK_POLL] = {
		"poll", "pidfd_poll",
		.ops = { .func = kwaitd_hook_poll, .flags = TAKES },
		.native = KWAITD_NATIVE_HANGUP, .optional = true,
	},
};

/**
 * kwaitd_hooks_symbol() - where a function is that is not exported
 * @name: its name
 *
 * A kprobe, which need not be armed, finds it. With IBT that is past its ENDBR64.
 *
 * Context: process context; may sleep.
 * Return: an address to call directly; 0 if the kernel has no such function.
 */
unsigned long kwaitd_hooks_symbol(const char *name)
{
	struct kprobe kp = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED,
	};

	if (register_kprobe(&kp))
		return 0;
	unregister_kprobe(&kp);
	return (unsigned long)kp.addr;
}

static int hook_register(struct hook *h)
{
	unsigned int tries = 100;
	int err;

	if (!h->addr)
		return -ENOENT;
	err = ftrace_set_filter_ip(&h->ops, h->addr, 0, 0);
	if (err)
		return err;
	/* EAGAIN, after a millisecond: a BPF trampoline there is being changed. */
	do {
		err = register_ftrace_function(&h->ops);
	} while (err == -EAGAIN && tries--);
	h->registered = !err;
	if (err)
		ftrace_free_filter(&h->ops);
	return err;
}

static void hooks_unregister(void)
{
	struct hook *h;

	for (h = hooks + NR_HOOKS; h-- > hooks;) {
		if (!h->registered)
			continue;
		unregister_ftrace_function(&h->ops);
		ftrace_free_filter(&h->ops);
		h->registered = false;
	}
}

/*
 * What follows the call of the trampoline, which is the first thing in it. A static
 * call is a direct one, to which neither IBT nor kCFI objects.
 */
static void *body(unsigned int hook)
{
	return (void *)(hooks[hook].addr + MCOUNT_INSN_SIZE);
}

static void find_bodies(void)
{
	if (hooks[HOOK_RELEASE].addr)
		static_call_update(kwaitd_release_body, body(HOOK_RELEASE));
	if (hooks[HOOK_NOTIFY].addr)
		static_call_update(kwaitd_notify_body, body(HOOK_NOTIFY));
	if (hooks[HOOK_DETACH].addr)
		static_call_update(kwaitd_detach_body, body(HOOK_DETACH));
	if (hooks[HOOK_CLONE3].addr)
		static_call_update(kwaitd_clone3_body, body(HOOK_CLONE3));
	if (hooks[HOOK_POLL].addr)
		static_call_update(kwaitd_poll_body, body(HOOK_POLL));
}

/**
 * kwaitd_hooks_init() - arm all hooks
 *
 * Context: process context; may sleep.
 * Return: 0, or what register_ftrace_function() said of the first that could not
 * be had, with none left armed: -EBUSY when kernel.ftrace_enabled is 0, or someone
 * else, such as livepatch, changes the ip there; -ENOENT when the kernel has no such
 * symbol; -EINVAL when ftrace has no call there.
 */
int kwaitd_hooks_init(void)
{
	struct hook *h;
	int err;

	/* What it takes depends on what its user has chosen. */
	hooks[HOOK_CLONE3].native |= kwaitd_clone3 == KWAITD_CLONE3_OFF;
	hooks[HOOK_CLONE3].optional = kwaitd_clone3 == KWAITD_CLONE3_AUTO;

	for (h = hooks; h < hooks + NR_HOOKS; h++)
		h->addr = h->native ? 0 : kwaitd_hooks_symbol(h->symbol);
	find_bodies();
	for (h = hooks; h < hooks + NR_HOOKS; h++) {
		err = h->native ? 0 : hook_register(h);
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
	/*
	 * Handlers are gone, but a task may have been preempted in what ran instead of
	 * a function: kwaitd_release_skipped(), name_pass(), or the last of name_taken().
	 */
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
	const struct hook *h;
	unsigned int i;

	seq_printf(m, "%-8s %-26s %5s %12s\n", "hook", "symbol", "armed", "hits");
	for (i = 0; i < NR_HOOKS; i++) {
		h = &hooks[i];
		if (!h->native)
			seq_printf(m, "%-8s %-26s %5d %12lu\n", h->name,
				   h->symbol, h->registered, hook_hits(i));
	}
}
