/* SPDX-License-Identifier: GPL-2.0 */
/* Who releases a dying task, and when */
#ifndef _KWAITD_RELEASE_H
#define _KWAITD_RELEASE_H

#include "defer.h"

struct pid_namespace;
struct task_struct;

enum kwaitd_release {
	KWAITD_RELEASE_NOW,		/* the task, as ever */
	KWAITD_RELEASE_LATER,		/* it is queued */
	KWAITD_RELEASE_COLLECT,		/* dead threads of its process first, and then it */
	KWAITD_RELEASE_COLLECT_ALL,	/* it is queued, and must not be: it, and these threads */
};

enum kwaitd_release kwaitd_release_decide(struct task_struct *p, enum kwaitd_kind kind);
bool kwaitd_release_may_collect(void);
void kwaitd_release_collect(struct task_struct *p);
void kwaitd_release_collect_namespace(struct pid_namespace *ns);

#endif /* _KWAITD_RELEASE_H */
