// SPDX-License-Identifier: GPL-2.0
/*
 * Linux 7.1's CLONE_AUTOREAP and CLONE_NNP for the clone3() of kernels that do
 * not know them.
 *
 * clone3() refuses what it does not know after it has copied its arguments. In
 * between these flags are taken out and, if they make sense together, carried to
 * the fork hook (hooks.c). What does not make sense stays and is refused.
 *
 * CLONE_PIDFD_AUTOKILL stays, too. The child is to be killed when one file, and
 * not another pidfd of the same process, is closed for the last time. Between 6.9
 * and 7.0 nothing of a pidfd is called then; a hook would have to be in __fput(),
 * in the way of every file of every process.
 */
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "compat.h"
#include "kwaitd.h"

/**
 * kwaitd_clone3_args() - look at the arguments of a clone3()
 * @kargs: as copied from user space, and not yet checked
 *
 * copy_process() of 7.1 is the model: whatever it minds is EINVAL.
 *
 * Context: clone3 hook.
 * Return: 0 or -EINVAL.
 */
int kwaitd_clone3_args(struct kernel_clone_args *kargs)
{
	u64 request = kargs->flags & (CLONE_AUTOREAP | CLONE_NNP);

	if (!READ_ONCE(kwaitd_live))
		return 0;
	if ((kargs->flags & CLONE_PARENT) &&
	    kwaitd_mark_test(current->group_leader))
		return -EINVAL;
	if (!request)
		return 0;
	if (kargs->flags & CLONE_THREAD)
		return -EINVAL;
	if ((request & CLONE_AUTOREAP) &&
	    ((kargs->flags & CLONE_PARENT) || kargs->exit_signal))
		return -EINVAL;
	kargs->flags &= ~request;
	/* Unused while kargs->fn is NULL, as it is in every clone3(). */
	kargs->fn_arg = (void *)(unsigned long)request;
	return 0;
}
