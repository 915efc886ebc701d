/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a function of the kernel is hooked: look at its arguments, have something else run in
 * its place, and call it past the hook.
 *
 * Hooks are ftrace_ops of their own, each with its own trampoline. That costs an ordinary
 * child less than kprobes at the same places. Neither kprobes turned off nor
 * kernel.ftrace_enabled=0 can take them away (FTRACE_OPS_FL_PERMANENT). Those that may
 * change the ip say so (FTRACE_OPS_FL_IPMODIFY), which keeps them and livepatch out of each
 * other's way.
 *
 * What runs in place of a function calls the function's body: what follows the call of the
 * trampoline. So the hook does not see that call, and other tracers see one call where
 * there was one.
 */
#ifndef _KWAITD_HOOK_H
#define _KWAITD_HOOK_H

#include <linux/cpufeature.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/static_call_types.h>

#include "compat.h"

struct kwaitd_hook {
	const char *name;		/* in messages and debugfs */
	const char *symbol;		/* the function */
	struct ftrace_ops ops;
	unsigned long __percpu *hits;	/* how often it fired */
	struct static_call_key *body;	/* of the call of the function's body; NULL: none */
	void *body_tramp;		/* of the same */
	unsigned long addr;		/* of the function; 0 if there is none */
	bool native;			/* the kernel does by itself what it is for */
	bool optional;			/* its absence costs no more than what it is for */
	bool registered;
};

/* Hooks that only look, and hooks that may have something else run */
#define KWAITD_HOOK_LOOKS FTRACE_OPS_FL_PERMANENT
#define KWAITD_HOOK_TAKES (FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_IPMODIFY)

static inline void *kwaitd_hook_argument(struct ftrace_regs *fregs, unsigned int n)
{
	return (void *)ftrace_regs_get_argument(fregs, n);
}

/* Have something else run in place of the function. */
static inline void kwaitd_hook_redirect(struct ftrace_regs *fregs, unsigned long instead)
{
	ftrace_regs_set_instruction_pointer(fregs, instead);
}

/*
 * Have something run that may sleep, which on PREEMPT_RT it does where it takes a lock. It
 * has a reference on the module, and puts that as its last act. Whoever disarms the hooks
 * waits for the few instructions that it still runs then.
 */
static inline void kwaitd_hook_take(struct ftrace_regs *fregs, unsigned long taken)
{
	/* Fails only when the module is on its way out. */
	if (try_module_get(THIS_MODULE))
		kwaitd_hook_redirect(fregs, taken);
}

/*
 * Problem: a BPF trampoline of the kinds that call the function themselves does so by what
 * it finds as the ip. With IBT the ip must be an ENDBR64, which no body begins with.
 * Trick: what runs then is name_pass(), which begins with one, and goes to the body.
 * Safe: it does that by a tail call, so nothing comes back to this module.
 */
static __always_inline void kwaitd_hook_pass(struct ftrace_regs *fregs,
					     unsigned long passed)
{
	if (cpu_feature_enabled(X86_FEATURE_IBT))
		kwaitd_hook_redirect(fregs, passed);
}

/* A handler begins with the one and ends with the other. */
static inline void kwaitd_hook_enter(unsigned long __percpu *hits)
{
	preempt_disable_notrace();
	this_cpu_inc(*hits);
}

static inline void kwaitd_hook_leave(void)
{
	preempt_enable_notrace();
}

unsigned long kwaitd_hook_symbol(const char *name);
void kwaitd_hook_find(struct kwaitd_hook *hook);
int kwaitd_hook_register(struct kwaitd_hook *hook);
void kwaitd_hook_unregister(struct kwaitd_hook *hook);
unsigned long kwaitd_hook_hits(const struct kwaitd_hook *hook);

#endif /* _KWAITD_HOOK_H */
