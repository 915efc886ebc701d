// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks at the birth of a task.
 *
 *   fork     cgroup_post_fork(child, kargs)
 *	copy_process() calls it for every child once nothing can fail any more
 *	and before the child first runs, in the parent's context.
 *   clone3   copy_clone_args_from_user(kargs, uargs, usize)
 *	before clone3() looks at its flags, for kernels that refuse CLONE_AUTOREAP.
 *
 * What a birth means is decided by mark.c, auto.c and adopt.c.
 */
#include <linux/cgroup.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>

#include "adopt.h"
#include "auto.h"
#include "clone3.h"
#include "compat.h"
#include "hook.h"
#include "hooks.h"
#include "mark.h"
#include "param.h"
#include "status.h"

static DEFINE_PER_CPU(unsigned long, fork_hits);

static void kwaitd_hook_fork(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct task_struct *child = kwaitd_hook_argument(fregs, 0);
	struct kernel_clone_args *kargs = kwaitd_hook_argument(fregs, 1);
	u64 flags = kwaitd_clone3_flags(kargs);

	kwaitd_hook_enter(&fork_hits);
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
	kwaitd_hook_leave();
}

struct kwaitd_hook kwaitd_hook_on_fork = {
	.name = "fork",
	.symbol = "cgroup_post_fork",
	.ops = { .func = kwaitd_hook_fork, .flags = KWAITD_HOOK_LOOKS },
	.hits = &fork_hits,
};

static DEFINE_PER_CPU(unsigned long, clone3_hits);

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

	kwaitd_hook_enter(&clone3_hits);
	kwaitd_hook_pass(fregs, (unsigned long)kwaitd_clone3_pass);
	/* Until the module is live the load may fail, and it does not wait for sleepers. */
	if (READ_ONCE(kwaitd_live) &&
	    (copy_from_user_nofault(&flags, &uargs->flags, sizeof(flags)) ||
	     (flags & (CLONE_AUTOREAP | CLONE_NNP | CLONE_PARENT))))
		kwaitd_hook_take(fregs, (unsigned long)kwaitd_clone3_taken);
	kwaitd_hook_leave();
}

struct kwaitd_hook kwaitd_hook_on_clone3 = {
	.name = "clone3",
	.symbol = "copy_clone_args_from_user",
	.ops = { .func = kwaitd_hook_clone3, .flags = KWAITD_HOOK_TAKES },
	.hits = &clone3_hits,
	.body = &STATIC_CALL_KEY(kwaitd_clone3_body),
	.body_tramp = STATIC_CALL_TRAMP_ADDR(kwaitd_clone3_body),
	.native = KWAITD_NATIVE_CLONE3,
};
