// SPDX-License-Identifier: GPL-2.0
/*
 * A wait4() that stops where it has taken a dead tracee (EXIT_TRACE), and has not let go
 * of it: there it asks for its usage, in getrusage(). That of a task called kw-slow,
 * until it may go on.
 */
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/static_call.h>

/* 6.2 */
#ifndef ftrace_regs_set_instruction_pointer
#define ftrace_regs_set_instruction_pointer(fregs, ip) \
	ftrace_instruction_pointer_set(fregs, ip)
#endif

static bool stopped;
module_param(stopped, bool, 0444);
MODULE_PARM_DESC(stopped, "it is there");

static bool go;
module_param(go, bool, 0644);
MODULE_PARM_DESC(go, "it may go on");

static void no_usage(struct task_struct *p, int who, struct rusage *r)
{
}

DEFINE_STATIC_CALL(usage, no_usage);

static void slow_getrusage(struct task_struct *p, int who, struct rusage *r)
{
	WRITE_ONCE(stopped, true);
	while (!READ_ONCE(go) && !fatal_signal_pending(current))
		msleep(20);
	static_call(usage)(p, who, r);
}

static void hook(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		 struct ftrace_regs *fregs)
{
	if (!strcmp(current->comm, "kw-slow"))
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)slow_getrusage);
}

static struct ftrace_ops ops = {
	.func	= hook,
	.flags	= FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
};

static int __init slow_init(void)
{
	struct kprobe kp = { .symbol_name = "getrusage", .flags = KPROBE_FLAG_DISABLED };
	int err;

	err = register_kprobe(&kp);
	if (err)
		return err;
	unregister_kprobe(&kp);
	static_call_update(usage, (void *)(kp.addr + MCOUNT_INSN_SIZE));
	err = ftrace_set_filter_ip(&ops, (unsigned long)kp.addr, 0, 0);
	if (!err)
		err = register_ftrace_function(&ops);
	if (err)
		ftrace_free_filter(&ops);
	return err;
}
module_init(slow_init);

static void __exit slow_exit(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}
module_exit(slow_exit);

MODULE_DESCRIPTION("A wait4() that takes its time, to test kwaitd with");
MODULE_LICENSE("GPL");
