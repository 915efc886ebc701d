/* SPDX-License-Identifier: GPL-2.0 */
/* CLONE_AUTOREAP for the clone3() of kernels that do not know it */
#ifndef _KWAITD_CLONE3_H
#define _KWAITD_CLONE3_H

#include <linux/sched/task.h>
#include <linux/types.h>

/* What to do where this kernel's clone3() does not know CLONE_AUTOREAP */
enum kwaitd_clone3 {
	KWAITD_CLONE3_OFF,
	KWAITD_CLONE3_ON,
	KWAITD_CLONE3_AUTO,		/* on, if it can be had */
};

/* The parameter. Not written once the module is loaded. */
extern unsigned int kwaitd_clone3;

int kwaitd_clone3_args(struct kernel_clone_args *kargs);

/**
 * kwaitd_clone3_flags() - the flags that a child was created with
 * @kargs: as copy_process() has them
 *
 * Problem: what clone3() was asked for, and this kernel does not know, has to get from
 * kwaitd_clone3_args() to the fork hook.
 * Trick: it is in fn_arg, the argument of fn, which is where a kernel thread starts.
 * Safe: a clone of user space has no fn, so its fn_arg is not used, and is NULL otherwise.
 *
 * Context: fork hook.
 */
static inline u64 kwaitd_clone3_flags(const struct kernel_clone_args *kargs)
{
	return kargs->flags | (kargs->fn ? 0 : (unsigned long)kargs->fn_arg);
}

#endif /* _KWAITD_CLONE3_H */
