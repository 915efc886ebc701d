/* SPDX-License-Identifier: GPL-2.0 */
/* Reading a task that others change meanwhile. */
#ifndef _KWAITD_TASK_H
#define _KWAITD_TASK_H

#include <linux/compiler.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

/*
 * A field that the kernel writes by plain stores, under a lock that the caller does not
 * hold. The value is whole. It is a hint, or it does not change any more.
 */
#define peek(field) data_race(READ_ONCE(field))

/* What wait4() would tell of a thread, or of a process of which all threads are dead */
static inline int kwaitd_exit_code(struct task_struct *p)
{
	if (thread_group_leader(p) && peek(p->signal->flags) & SIGNAL_GROUP_EXIT)
		return p->signal->group_exit_code;
	return p->exit_code;
}

#endif /* _KWAITD_TASK_H */
