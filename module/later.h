/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work that is done later, whoever keeps a CPU to himself, as far as that is up to a
 * timer and a queue.
 *
 * That of a struct delayed_work is not: its timer belongs to the CPU where it was
 * started, and once timers are left to a thread there, as they always are on
 * PREEMPT_RT, a real-time task keeps them from running for as long as it likes.
 */
#ifndef _KWAITD_LATER_H
#define _KWAITD_LATER_H

#include <linux/hrtimer.h>
#include <linux/spinlock_types.h>
#include <linux/workqueue.h>

struct kwaitd_later {
	struct work_struct work;
	struct hrtimer timer;		/* queues it */
	raw_spinlock_t lock;		/* to start the timer */
	bool over;			/* which is not done any more */
};

void kwaitd_later_init(struct kwaitd_later *later, work_func_t fn);
void kwaitd_later_exit(struct kwaitd_later *later);
void kwaitd_later(struct kwaitd_later *later, unsigned long delay);
void kwaitd_later_now(struct kwaitd_later *later);

/* Is there a time for it? For callers that know it is early enough. */
static inline bool kwaitd_later_pending(struct kwaitd_later *later)
{
	return hrtimer_is_queued(&later->timer);
}

#endif /* _KWAITD_LATER_H */
