// SPDX-License-Identifier: GPL-2.0
/*
 * Linux 7.1's CLONE_AUTOREAP and CLONE_NNP for the clone3() of kernels that do
 * not know them.
 *
 * clone3() copies its arguments, and then refuses what it does not know. In between these
 * flags are taken out and, if they make sense together, carried to the fork hook. What does
 * not make sense stays, and clone3() refuses it.
 *
 * CLONE_PIDFD_AUTOKILL stays, too. It kills the child when one file, and not another pidfd
 * of the same process, is closed for the last time. Between 6.9 and 7.0 no function of a
 * pidfd is called then. The hook would have to be in __fput(), in the way of every file of
 * every process.
 */
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "clone3.h"
#include "compat.h"
#include "mark.h"
#include "param.h"

unsigned int kwaitd_clone3 = KWAITD_CLONE3_AUTO;
static struct kwaitd_words clone3_param = {
	.value = &kwaitd_clone3,
	.nr = 3,
	.words = {
		[KWAITD_CLONE3_OFF]	= "off",
		[KWAITD_CLONE3_ON]	= "on",
		[KWAITD_CLONE3_AUTO]	= "auto",
	},
};
module_param_cb(clone3, &kwaitd_words_ops, &clone3_param, 0444);
MODULE_PARM_DESC(clone3, "CLONE_AUTOREAP and CLONE_NNP for clone3(), where the kernel does not know them: off, on: or do not load, auto (default): if the kernel can be hooked");

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
	/* kwaitd_clone3_flags() says why there. */
	kargs->fn_arg = (void *)(unsigned long)request;
	return 0;
}
