// SPDX-License-Identifier: GPL-2.0
/*
 * What the death of a task means: is somebody told, and does somebody wait for it?
 *
 * Nobody is told of a process that was created detached, nor of the orphan of an adopted
 * reaper, unless the orphan has a grace time. The kernel then reaps the process.
 */
#include <linux/preempt.h>
#include <linux/smp.h>

#include "adopt.h"
#include "compat.h"
#include "count.h"
#include "death.h"
#include "grace.h"
#include "mark.h"
#include "param.h"
#include "status.h"
#include "trace.h"

/* The same, for what may be an orphan */
static bool orphan_decide(struct task_struct *p)
{
	struct kwaitd_adoption *a = kwaitd_adopt_find_orphan(p);

	if (!a || !READ_ONCE(kwaitd_live))
		return false;
	if (READ_ONCE(kwaitd_grace_ms)) {
		kwaitd_grace_begin(p, a);
		return false;
	}
	atomic_long_inc(&a->orphans);
	kwaitd_count(KWAITD_ORPHANS);
	return true;
}

/**
 * kwaitd_death_decide() - decide whether anybody is told of the death of a process
 * @p: its group leader
 *
 * An orphan is counted, or its grace time begins.
 *
 * Context: notify hook.
 * Return: true if nobody is to be told. False also if the kernel has the mark, and tells
 * nobody by itself.
 */
bool kwaitd_death_decide(struct task_struct *p)
{
	/* A tracer waits for its tracee, whatever that was created as. */
	if (p->ptrace)
		return false;
	return (kwaitd_mark_any() && kwaitd_mark_test(p)) ||
	       (kwaitd_adopt_any() && orphan_decide(p));
}

/* The marks of the process end here. */
static enum kwaitd_kind process_kind(struct task_struct *p)
{
	enum kwaitd_kind kind = KWAITD_KIND_OTHER;

	if (kwaitd_adopt_any()) {
		if (p == current && kwaitd_adopt_find_orphan(p))
			kind = KWAITD_KIND_ORPHAN;
		/* First of all, since an own child's entry also refers to the pid. */
		kwaitd_adopt_released(p);
	}
	if ((kwaitd_mark_any() && kwaitd_status_release(p)) ||
	    signal_autoreap(p->signal))
		kind = KWAITD_KIND_DETACHED;
	return kind;
}

/**
 * kwaitd_death_kind() - what is a task that is about to be released?
 * @p: the task. If it is a process, its marks end here.
 *
 * Context: release hook.
 */
enum kwaitd_kind kwaitd_death_kind(struct task_struct *p)
{
	if (thread_group_leader(p))
		return process_kind(p);
	return kwaitd_mark_test_thread(p) ? KWAITD_KIND_DETACHED : KWAITD_KIND_OTHER;
}

/**
 * kwaitd_death_of_other() - a process of which nobody was told is about to be released
 * @p: its group leader, which is not current, so that the release hook does not see it
 *
 * That is a leader that died before its last thread. release_task() of that thread goes on
 * with the leader by itself.
 *
 * Context: process context; tasklist_lock is held for writing.
 */
void kwaitd_death_of_other(struct task_struct *p)
{
	preempt_disable();
	kwaitd_adopt_released(p);
	if (!kwaitd_status_release(p))
		trace_kwaitd_reap(p, raw_smp_processor_id(), 0, true);
	preempt_enable();
}
