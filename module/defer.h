/* SPDX-License-Identifier: GPL-2.0 */
/* May the release of a dying task wait for a kwaitd thread? */
#ifndef _KWAITD_DEFER_H
#define _KWAITD_DEFER_H

#include <linux/compiler.h>
#include <linux/sched/signal.h>
#include <linux/types.h>

#include "count.h"

struct pid_namespace;

/* What nobody waits for, as far as the module is concerned */
enum kwaitd_kind {
	KWAITD_KIND_OTHER,		/* the kernel reaps it by itself */
	KWAITD_KIND_DETACHED,		/* created so */
	KWAITD_KIND_ORPHAN,		/* of an adopted reaper */
};

/* The self-test's thread, or NULL. It is always deferred. */
extern const struct task_struct *kwaitd_defer_probe;

static inline bool kwaitd_defer_is_probe(const struct task_struct *p)
{
	return unlikely(p == READ_ONCE(kwaitd_defer_probe));
}

/*
 * Does a thread that dies leave so few alive that nothing of its process may be queued?
 * They are two, and one may be the leader: release.c says why.
 */
static inline bool kwaitd_defer_few(struct task_struct *p)
{
	return !thread_group_leader(p) && atomic_read(&p->signal->live) <= 2;
}

bool kwaitd_defer_namespace_ends(const struct pid_namespace *ns);
bool kwaitd_defer_wanted(struct task_struct *p, enum kwaitd_kind kind);
enum kwaitd_counter kwaitd_defer_refused(struct task_struct *p, bool open,
					 unsigned int backlog);

#endif /* _KWAITD_DEFER_H */
