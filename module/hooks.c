// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks: the places where the kernel creates a task, tells of its death, and frees it.
 * This file arms and disarms them. hooks_birth.c and hooks_exit.c say where they are, and
 * ask other files what to do; hook.h says how something else runs in place of a function.
 *
 * Context: handlers run with preemption off, and on PREEMPT_RT too: nothing in
 * them sleeps, takes a spinlock_t or, on RT, allocates.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#include "clone3.h"
#include "compat.h"
#include "hook.h"
#include "hooks.h"

/* In the order of registration. A native one is not registered. */
static struct kwaitd_hook * const hooks[] = {
	&kwaitd_hook_on_fork,
	&kwaitd_hook_on_release,
	&kwaitd_hook_on_notify,
	&kwaitd_hook_on_detach,
	&kwaitd_hook_on_clone3,
	&kwaitd_hook_on_poll,
	&kwaitd_hook_on_end,
};

static void hooks_unregister(void)
{
	unsigned int i = ARRAY_SIZE(hooks);

	while (i--)
		kwaitd_hook_unregister(hooks[i]);
}

/**
 * kwaitd_hooks_init() - arm all hooks
 *
 * Context: process context; may sleep.
 * Return: 0; or what kwaitd_hook_register() said of the first that could not be had, with
 * none left armed.
 */
int kwaitd_hooks_init(void)
{
	struct kwaitd_hook *h;
	unsigned int i;
	int err;

	/* Whether this one is wanted, and needed, is the user's choice. */
	kwaitd_hook_on_clone3.native |= kwaitd_clone3 == KWAITD_CLONE3_OFF;
	kwaitd_hook_on_clone3.optional = kwaitd_clone3 == KWAITD_CLONE3_AUTO;

	/* What is hooked may call the body of another. */
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		kwaitd_hook_find(hooks[i]);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		h = hooks[i];
		err = h->native ? 0 : kwaitd_hook_register(h);
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
 * Context: process context; sleeps until no task can be in what hooks have had run.
 */
void kwaitd_hooks_exit(void)
{
	hooks_unregister();
	/* A task may have been preempted in what ran in place of a function. */
	synchronize_rcu_tasks();
}

/**
 * kwaitd_hooks_clone3() - does clone3() know CLONE_AUTOREAP now?
 *
 * Context: any.
 */
bool kwaitd_hooks_clone3(void)
{
	return KWAITD_NATIVE_CLONE3 || kwaitd_hook_on_clone3.registered;
}

/**
 * kwaitd_hooks_silent() - is there a hook that should have fired and has not?
 *
 * Context: any, when a thread has been born and died.
 * Return: the symbol it is in, or NULL.
 */
const char *kwaitd_hooks_silent(void)
{
	static const struct kwaitd_hook * const fire[] = {
		&kwaitd_hook_on_fork, &kwaitd_hook_on_release, &kwaitd_hook_on_notify,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fire); i++) {
		if (fire[i]->registered && !kwaitd_hook_hits(fire[i]))
			return fire[i]->symbol;
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
	const struct kwaitd_hook *h;
	unsigned int i;

	seq_printf(m, "%-8s %-26s %5s %12s\n", "hook", "symbol", "armed", "hits");
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		h = hooks[i];
		if (!h->native)
			seq_printf(m, "%-8s %-26s %5d %12lu\n", h->name,
				   h->symbol, h->registered, kwaitd_hook_hits(h));
	}
}
