/* SPDX-License-Identifier: GPL-2.0 */
/* The queues: dead tasks that have yet to be released */
#ifndef _KWAITD_QUEUE_H
#define _KWAITD_QUEUE_H

#include <linux/types.h>

struct task_struct;

/* What the queue knows of a task that was in it */
struct kwaitd_queued {
	u64 latency;		/* ns that it was queued */
	unsigned int cpu;	/* whose queue it was in */
	bool orphan;
};

void kwaitd_queue_init(void);
void kwaitd_queue_open(unsigned int cpu);
void kwaitd_queue_close(unsigned int cpu);
bool kwaitd_queue_is_open(void);
unsigned int kwaitd_queue_add(struct task_struct *p, bool orphan);
struct task_struct *kwaitd_queue_next(unsigned int cpu, struct kwaitd_queued *was);
bool kwaitd_queue_take(struct task_struct *p, struct kwaitd_queued *was);
unsigned int kwaitd_queue_backlog(unsigned int cpu);
u64 kwaitd_queue_age(unsigned int cpu);

#endif /* _KWAITD_QUEUE_H */
