/* SPDX-License-Identifier: GPL-2.0 */
/* The queues of dead tasks, and the threads that release what is in them: kwaitd/N */
#ifndef _KWAITD_QUEUE_H
#define _KWAITD_QUEUE_H

#include <linux/sched/task.h>
#include <linux/static_call_types.h>
#include <linux/types.h>

#include "defer.h"

/*
 * release_task(), which is not exported: its body, past the hook. hooks.c finds it and
 * sets it before anything can be queued.
 */
DECLARE_STATIC_CALL(kwaitd_release_body, release_task);

int kwaitd_queue_init(void);
void kwaitd_queue_exit(void);
bool kwaitd_queue_task(struct task_struct *p, enum kwaitd_kind kind);
void kwaitd_queue_wake(void);
unsigned long kwaitd_queue_backlog(unsigned int cpu);

#endif /* _KWAITD_QUEUE_H */
