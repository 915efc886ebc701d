/* SPDX-License-Identifier: GPL-2.0 */
/* May the release of a dying task wait for a kwaitd thread? */
#ifndef _KWAITD_DEFER_H
#define _KWAITD_DEFER_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "count.h"

struct task_struct;

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

bool kwaitd_defer_wanted(struct task_struct *p, enum kwaitd_kind kind);
enum kwaitd_counter kwaitd_defer_refused(struct task_struct *p, bool open,
					 unsigned int backlog);

#endif /* _KWAITD_DEFER_H */
