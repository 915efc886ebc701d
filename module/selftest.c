// SPDX-License-Identifier: GPL-2.0
/*
 * The self-test at load: does it all work on this kernel?
 *
 * A kernel thread is born and dies before anything else may use the module. It
 * passes all hooks on its way, is queued as if it was detached, and is released
 * by kwaitd. That shows that the hooks fire, that release_task() can be skipped,
 * and called by someone else. What a mark changes it does not show: the parent of
 * kernel threads ignores them anyway.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "count.h"
#include "defer.h"
#include "hooks.h"
#include "kwaitd.h"

#define TIMEOUT (10 * HZ)

static int probe_fn(void *data)
{
	return 0;
}

/* Return: whether a thread was released in time, or an errno. */
static int probe_run(void)
{
	struct task_struct *p = kthread_create(probe_fn, NULL, "kwaitd/probe");
	unsigned long deadline = jiffies + TIMEOUT;
	int released;

	if (IS_ERR(p))
		return PTR_ERR(p);
	get_task_struct(p);
	WRITE_ONCE(kwaitd_defer_probe, p);
	wake_up_process(p);
	while (pid_alive(p) && time_before(jiffies, deadline))
		usleep_range(500, 1000);
	released = !pid_alive(p);
	/* It must not run this module's code any more, even if it has yet to. */
	kthread_stop(p);
	WRITE_ONCE(kwaitd_defer_probe, NULL);
	put_task_struct(p);
	return released;
}

/**
 * kwaitd_selftest() - send a thread all the way through
 *
 * It may die on a CPU whose kwaitd has not had its first turn and be released
 * there and then, so there is more than one try.
 *
 * Context: module init, once all is set up and nothing else can be queued.
 * Return: 0; -EOPNOTSUPP, and a message that names the hook; or what
 * kthread_create() said.
 */
int kwaitd_selftest(void)
{
	unsigned long deadline = jiffies + TIMEOUT;
	const char *silent;
	unsigned long queued;
	int released;

	/* Only probes are queued so early. */
	do {
		released = probe_run();
		if (released < 0)
			return released;
		silent = kwaitd_hooks_silent();
		queued = kwaitd_count_sum(KWAITD_QUEUED_PROCESSES);
	} while (released && !silent && !queued &&
		 time_before(jiffies, deadline));
	/* It is counted when it is gone. */
	deadline = jiffies + TIMEOUT;
	while (kwaitd_count_sum(KWAITD_REAPED) < queued &&
	       time_before(jiffies, deadline))
		usleep_range(500, 1000);

	if (silent)
		pr_err("self-test: the hook in %s does not fire\n",
		       silent);
	else if (!released)
		pr_err("self-test: a thread that exited was never released\n");
	else if (!queued)
		pr_err("self-test: the hook in release_task does not see exits\n");
	else if (kwaitd_count_sum(KWAITD_REAPED) < queued)
		pr_err("self-test: kwaitd does not come back from release_task\n");
	else
		return 0;
	return -EOPNOTSUPP;
}
