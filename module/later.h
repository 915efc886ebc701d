/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work that is done later, even if a real-time task keeps a CPU to itself.
 *
 * A struct delayed_work does not do: its timer belongs to the CPU where it was started.
 * Once the timers of that CPU are left to a thread, as they always are on PREEMPT_RT, a
 * real-time task keeps the thread, and so the timer, from running for as long as it
 * likes. Here the timer fires in hard interrupt context, and any CPU may do the work.
 */
#ifndef _KWAITD_LATER_H
#define _KWAITD_LATER_H

#include <linux/hrtimer.h>
#include <linux/spinlock_types.h>
#include <linux/workqueue.h>

struct kwaitd_later {
	struct work_struct work;
	struct hrtimer timer;		/* queues the work */
	raw_spinlock_t lock;		/* to start the timer */
	bool over;			/* the work is not done any more */
};

int kwaitd_later_start(void);
void kwaitd_later_stop(void);
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
