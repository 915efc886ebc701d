// SPDX-License-Identifier: GPL-2.0
/*
 * The sweep: release the zombies that an adopted reaper was given and has not waited for,
 * because somebody asked for it (KWAITD_IOC_REAP).
 */
#include <linux/sched/signal.h>

#include "adopt.h"
#include "compat.h"
#include "sweep.h"
#include "task.h"
#include "zombie.h"

/*
 * Has a zombie been dead for so many nanoseconds? The kernel keeps no time of death. But a
 * zombie last ran when it died, and the scheduler has noted when that was. Its clock is one
 * for each CPU and may stand still in interrupts; and what it has of current is the last
 * tick. So the answer may be wrong by seconds on a busy virtual machine.
 */
static bool is_older(struct task_struct *p, u64 age)
{
	return !age || (s64)(current->se.exec_start - p->se.exec_start) >= (s64)age;
}

/*
 * Find zombies of a reaper, as many as there is room for, from the pid *nr on.
 * Return: whether there may be more.
 */
static bool find_zombies(struct kwaitd_zombies *z, struct pid *reaper, u64 min_age, int *nr)
{
	struct pid_namespace *ns = ns_of_pid(reaper);
	struct task_struct *p;
	struct pid *pid;

	while (z->nr < KWAITD_ZOMBIES) {
		rcu_read_lock();
		pid = pid_next(ns, nr);
		p = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
		if (p && kwaitd_family_parent(p) == reaper && kwaitd_is_zombie(p) &&
		    kwaitd_adopt_find_orphan(p) && is_older(p, min_age))
			kwaitd_zombies_add(z, p);
		rcu_read_unlock();
		if (!pid)
			return false;
		++*nr;
		cond_resched();
	}
	return true;
}

/**
 * kwaitd_sweep() - release the zombies of an adopted reaper
 * @reaper: its thread group
 * @min_age: nanoseconds they must have been dead for
 * @dry_run: only count them
 * @total: set to how many
 *
 * Context: process context; may sleep.
 * Return: 0, also if it went wrong after some were released; or see KWAITD_IOC_REAP.
 */
int kwaitd_sweep(struct pid *reaper, u64 min_age, bool dry_run, u32 *total)
{
	struct kwaitd_zombies z = { };
	int nr = 0, n, err;
	bool more;

	*total = 0;
	err = kwaitd_adopt_state(reaper);
	if (err)
		return err;
	do {
		more = find_zombies(&z, reaper, min_age, &nr);
		n = z.nr;
		if (dry_run)
			kwaitd_zombies_drop(&z);
		else if (n)
			n = kwaitd_zombies_release(&z);
		if (n < 0)
			return *total ? 0 : n;
		*total += n;
	} while (more && !fatal_signal_pending(current));
	return 0;
}
