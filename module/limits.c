// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: is somebody about to be refused a fork?
 *
 * Until it is released a dead task counts against its user's RLIMIT_NPROC, its
 * cgroups' pids.max, and has a pid. A fork must not fail because of a release
 * that kwaitd has yet to do, so a task is not queued when what is left below a
 * limit is so little that forks could use it up before kwaitd runs.
 */
#include <linux/cred.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "limits.h"
#include "task.h"

/*
 * In tasks. No number is enough in all cases; with this one a fork fails if so many
 * children are created, and none of them exits, while a task is queued and kwaitd is
 * about to run.
 */
#define HEADROOM 1024

/**
 * kwaitd_limits_nproc() - is the user of a task close to RLIMIT_NPROC?
 * @p: the dying task; its limit stands for those of its relatives
 *
 * Context: any.
 */
bool kwaitd_limits_nproc(struct task_struct *p)
{
	long max = min_t(unsigned long, task_rlimit(p, RLIMIT_NPROC), LONG_MAX);
	struct ucounts *uc;
	bool close = false;

	rcu_read_lock();
	uc = task_ucounts(p);
	/* copy_process() never refuses root. */
	if (uid_eq(__task_cred(p)->user->uid, GLOBAL_ROOT_UID))
		uc = NULL;
	for (; uc && !close; uc = uc->ns->ucounts) {
		close = max - get_rlimit_value(uc, UCOUNT_RLIMIT_NPROC) < HEADROOM;
		max = get_userns_rlimit_max(uc->ns, UCOUNT_RLIMIT_NPROC);
	}
	rcu_read_unlock();
	return close;
}

/**
 * kwaitd_limits_pids() - is a cgroup of a task close to its pids.max?
 * @p: the dying task
 *
 * Context: any.
 * Return: true also if the numbers make no sense, as they would if the pids
 * controller's private structure, see compat.h, was no longer what it was.
 */
bool kwaitd_limits_pids(struct task_struct *p)
{
	const s64 none = PID_MAX_LIMIT + 1;	/* "max" in pids.max */
	struct cgroup_subsys_state *css;
	struct pids_cgroup_head *pids;
	s64 counter, limit;
	bool close = false;

	rcu_read_lock();
	for (css = task_pids_css(p); css && css->parent && !close;
	     css = css->parent) {
		pids = container_of(css, struct pids_cgroup_head, css);
		counter = atomic64_read(&pids->counter);
		limit = atomic64_read(&pids->limit);
		close = counter < 0 || counter > none ||
			limit < 0 || limit > none ||
			(limit < none && limit - counter < HEADROOM);
	}
	rcu_read_unlock();
	return close;
}

/**
 * kwaitd_limits_pid_max() - is a pid namespace of a task running out of pids?
 * @p: the dying task
 *
 * Context: any.
 * Return: always false on kernels before 6.14, which do not say.
 */
bool kwaitd_limits_pid_max(struct task_struct *p)
{
	struct pid_namespace *ns;

	for (ns = task_active_pid_ns(p); ns; ns = ns->parent) {
		if (pid_ns_pid_max(ns) -
		    (int)(peek(ns->pid_allocated) & ~PIDNS_ADDING) < HEADROOM)
			return true;
	}
	return false;
}
