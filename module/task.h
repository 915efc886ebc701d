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

/*
 * Are all threads of its process but one dead, or dying as @p is? The one that is left
 * may wait for the others: in execve(), in unshare(), or on its way out.
 */
static inline bool kwaitd_last_thread(struct task_struct *p)
{
	return !thread_group_leader(p) && atomic_read(&p->signal->live) <= 1;
}

#endif /* _KWAITD_TASK_H */
