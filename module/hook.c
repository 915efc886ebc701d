// SPDX-License-Identifier: GPL-2.0
/* How a function of the kernel is hooked: what is too long for hook.h. */
#include <linux/kprobes.h>
#include <linux/static_call.h>

#include "hook.h"

/**
 * kwaitd_hook_symbol() - where a function is that is not exported
 * @name: its name
 *
 * A kprobe, which need not be armed, finds the function. With IBT it finds what follows the
 * function's ENDBR64.
 *
 * Context: process context; may sleep.
 * Return: an address to call directly; 0 if the kernel has no such function.
 */
unsigned long kwaitd_hook_symbol(const char *name)
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

/**
 * kwaitd_hook_find() - find the function, and where its body is
 * @h: unless it is native. Its addr is 0 then if the kernel has no such function.
 *
 * The body is what follows the call of the trampoline, which is the first thing in the
 * function. It is called by a static call, which is a direct one, to which neither IBT nor
 * kCFI objects.
 *
 * Context: process context; may sleep.
 */
void kwaitd_hook_find(struct kwaitd_hook *h)
{
	h->addr = h->native ? 0 : kwaitd_hook_symbol(h->symbol);
	if (h->addr && h->body)
		__static_call_update(h->body, h->body_tramp,
				     (void *)(h->addr + MCOUNT_INSN_SIZE));
}

/**
 * kwaitd_hook_register() - arm a hook
 * @h: its addr, ops.func and ops.flags are set
 *
 * Context: process context; may sleep.
 * Return: 0, or what register_ftrace_function() said: -EBUSY when kernel.ftrace_enabled is
 * 0, or someone else, such as livepatch, changes the ip there; -EINVAL when ftrace has no
 * call there. -ENOENT when the kernel has no such function.
 */
int kwaitd_hook_register(struct kwaitd_hook *h)
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

/**
 * kwaitd_hook_unregister() - disarm a hook
 * @h: need not be armed
 *
 * A task may still be in what the hook has had run.
 *
 * Context: process context; sleeps.
 */
void kwaitd_hook_unregister(struct kwaitd_hook *h)
{
	if (!h->registered)
		return;
	unregister_ftrace_function(&h->ops);
	ftrace_free_filter(&h->ops);
	h->registered = false;
}

/**
 * kwaitd_hook_hits() - how often a hook fired
 * @h: which
 *
 * Context: any.
 */
unsigned long kwaitd_hook_hits(const struct kwaitd_hook *h)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(h->hits, cpu));
	return sum;
}
