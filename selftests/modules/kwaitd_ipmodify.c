// SPDX-License-Identifier: GPL-2.0
/*
 * Somebody else who may change where a function goes on, as livepatch does, and does
 * not: only one such user can have a function.
 */
#include <linux/ftrace.h>
#include <linux/module.h>

static char *symbol = "release_task";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "the function");

static void ipmodify(unsigned long ip, unsigned long parent_ip,
		     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops ops = {
	.func	= ipmodify,
	.flags	= FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
};

static int __init ipmodify_init(void)
{
	int err = ftrace_set_filter(&ops, symbol, strlen(symbol), 1);

	if (!err)
		err = register_ftrace_function(&ops);
	if (err)
		ftrace_free_filter(&ops);
	return err;
}
module_init(ipmodify_init);

static void __exit ipmodify_exit(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}
module_exit(ipmodify_exit);

MODULE_DESCRIPTION("Another user of IPMODIFY, to test kwaitd with");
MODULE_LICENSE("GPL");
