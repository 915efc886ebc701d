/* SPDX-License-Identifier: GPL-2.0 */
/* The threads that release what is queued: kwaitd/N; and the watch over them */
#ifndef _KWAITD_DRAIN_H
#define _KWAITD_DRAIN_H

#include <linux/sched/task.h>
#include <linux/static_call_types.h>
#include <linux/types.h>

struct kwaitd_queued;

/*
 * release_task(), which is not exported: its body, past the hook. hook.c finds it and sets
 * it before anything can be queued.
 */
DECLARE_STATIC_CALL(kwaitd_release_body, release_task);

int kwaitd_drain_init(void);
void kwaitd_drain_exit(void);
void kwaitd_drain_all(void);
void kwaitd_drain_taken(struct task_struct *p, const struct kwaitd_queued *was);
bool kwaitd_drain_pending(void);
void kwaitd_drain_soon(unsigned int backlog);
void kwaitd_drain_wake(void);

#endif /* _KWAITD_DRAIN_H */
