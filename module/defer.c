// SPDX-License-Identifier: GPL-2.0
/*
 * May the release of a dying task be deferred, or must the task be released at once, as
 * it would be without the module?
 *
 * A task is released at once when somebody could notice that it is released later: a
 * parent or an execve() that waits for it, the holder of a pidfd, or a fork that would
 * fail for want of the process id or of room below a limit.
 *
 * Nothing here takes a lock. release.c looks once more when the task is queued, for those
 * who have begun to wait meanwhile.
 */
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "defer.h"
#include "limits.h"
#include "param.h"
#include "task.h"

/* Which exits are left to kwaitd: each value includes the ones before it. */
enum {
	OFFLOAD_NONE,
	OFFLOAD_DETACHED,	/* created detached, and adopted orphans */
	OFFLOAD_ALL,		/* whatever nobody waits for */
};

static unsigned int offload = OFFLOAD_DETACHED;
static struct kwaitd_words offload_param = {
	.value = &offload,
	.nr = 3,
	.words = {
		[OFFLOAD_NONE]		= "none",
		[OFFLOAD_DETACHED]	= "detached",
		[OFFLOAD_ALL]		= "all",
	},
};
module_param_cb(offload, &kwaitd_words_ops, &offload_param, 0644);
MODULE_PARM_DESC(offload, "which exits are left to kwaitd: none, detached (default): of threads and processes created detached, all: of all user threads and processes that nobody waits for");

static unsigned int max_backlog = 256;
static struct kwaitd_range max_backlog_param = {
	.value = &max_backlog,
	.min = 0,
	.max = 65536,
};
module_param_cb(max_backlog, &kwaitd_range_ops, &max_backlog_param, 0644);
MODULE_PARM_DESC(max_backlog, "tasks queued on a CPU before further ones are released as if there was no kwaitd (0 to 65536, default 256)");

/* Written only by the self-test, before the thread it names can die. */
const struct task_struct *kwaitd_defer_probe;

/**
 * kwaitd_defer_namespace_ends() - is the init of a pid namespace dying?
 * @ns: the namespace; its ancestors count as well
 *
 * Context: RCU, or preemption off.
 */
bool kwaitd_defer_namespace_ends(const struct pid_namespace *ns)
{
	const struct task_struct *init;

	for (; ns->parent; ns = ns->parent) {
		init = peek(ns->child_reaper);
		/* Before the first task of a namespace there is none. */
		if (init && peek(init->flags) & PF_EXITING)
			return true;
	}
	return false;
}

/*
 * Has a thread another seccomp mode or filter than its leader? Then a third thread may not
 * be able to synchronize its filters. The filter of the leader may change meanwhile, but
 * only to one that stands on this one.
 */
static bool has_other_seccomp(struct task_struct *p)
{
	const void *filter = task_seccomp_filter(p);

	return task_seccomp_mode(p) != task_seccomp_mode(p->group_leader) ||
	       (filter && filter != task_seccomp_filter(p->group_leader));
}

/**
 * kwaitd_defer_wanted() - does the parameter offload mean such a task?
 * @p: current, dying
 * @kind: what it is
 *
 * Return: false only for what nobody has asked kwaitd to take. Whatever was created
 * detached, or is an orphan, is wanted, and counted if it is refused.
 * Context: release hook.
 */
bool kwaitd_defer_wanted(struct task_struct *p, enum kwaitd_kind kind)
{
	return kind != KWAITD_KIND_OTHER || READ_ONCE(offload) == OFFLOAD_ALL ||
	       kwaitd_defer_is_probe(p);
}

/**
 * kwaitd_defer_refused() - must a task be released at once?
 * @p: current, dying
 * @open: has its CPU a kwaitd to leave it to?
 * @backlog: how many tasks this CPU's kwaitd has to release before it
 *
 * Context: release hook; preemption off.
 * Return: the reason, as the counter to count it by; KWAITD_NR_COUNTERS if there is none.
 */
enum kwaitd_counter kwaitd_defer_refused(struct task_struct *p, bool open,
					 unsigned int backlog)
{
	struct signal_struct *sig = p->signal;

	if (!open)
		return KWAITD_INLINE_PARKED;
	if (kwaitd_defer_is_probe(p))
		return KWAITD_NR_COUNTERS;
	/* Who waits for these is the kernel's own affair. kwaitd is one, too. */
	if (task_works_for_kernel(p))
		return KWAITD_INLINE_KERNEL;
	if (READ_ONCE(offload) == OFFLOAD_NONE)
		return KWAITD_INLINE_OFFLOAD;
	if (!READ_ONCE(kwaitd_live))
		return KWAITD_INLINE_UNLOAD;
	if (backlog >= READ_ONCE(max_backlog))
		return KWAITD_INLINE_BACKLOG;
	if (!thread_group_leader(p)) {
		if (peek(sig->notify_count) || peek(sig->group_exec_task))
			return KWAITD_INLINE_EXEC;
		if (peek(p->group_leader->flags) & PF_EXITING)
			return KWAITD_INLINE_LEADER_DEAD;
		if (peek(sig->flags) & SIGNAL_GROUP_EXIT)
			return KWAITD_INLINE_GROUP_EXIT;
		if (kwaitd_defer_few(p))
			return KWAITD_INLINE_LAST_THREAD;
		if (has_other_seccomp(p))
			return KWAITD_INLINE_SECCOMP;
	}
	if (kwaitd_defer_namespace_ends(task_active_pid_ns(p)))
		return KWAITD_INLINE_PID_NS;
	if (pid_has_pidfd(task_pid(p)))
		return KWAITD_INLINE_PIDFD;
	if (kwaitd_limits_nproc(p))
		return KWAITD_INLINE_NPROC;
	if (kwaitd_limits_pids(p))
		return KWAITD_INLINE_PIDS;
	if (kwaitd_limits_pid_max(p))
		return KWAITD_INLINE_PID_MAX;
	return KWAITD_NR_COUNTERS;
}
