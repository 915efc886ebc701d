// SPDX-License-Identifier: GPL-2.0
/*
 * Later: a timer that fires in hard interrupt context, and work that any CPU does.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "kwaitd.h"
#include "later.h"

static enum hrtimer_restart kwaitd_later_fires(struct hrtimer *timer)
{
	struct kwaitd_later *later = container_of(timer, struct kwaitd_later, timer);

	queue_work(kwaitd_wq, &later->work);
	return HRTIMER_NORESTART;
}

void kwaitd_later_init(struct kwaitd_later *later, work_func_t fn)
{
	INIT_WORK(&later->work, fn);
	hrtimer_setup(&later->timer, kwaitd_later_fires, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_HARD);
	raw_spin_lock_init(&later->lock);
}

/**
 * kwaitd_later() - do it once more
 * @later: what
 * @delay: jiffies until then; less, if it has a time already that is earlier
 *
 * Context: any.
 */
void kwaitd_later(struct kwaitd_later *later, unsigned long delay)
{
	ktime_t due = ktime_add_ns(ktime_get(), (u64)delay * TICK_NSEC);
	unsigned long flags;

	raw_spin_lock_irqsave(&later->lock, flags);
	if (!later->over &&
	    (!hrtimer_is_queued(&later->timer) ||
	     ktime_before(due, hrtimer_get_expires(&later->timer))))
		hrtimer_start(&later->timer, due, HRTIMER_MODE_ABS_HARD);
	raw_spin_unlock_irqrestore(&later->lock, flags);
}

/**
 * kwaitd_later_now() - do it, and return when it is done
 * @later: what; it keeps the time it has
 *
 * Context: process context; sleeps.
 */
void kwaitd_later_now(struct kwaitd_later *later)
{
	queue_work(kwaitd_wq, &later->work);
	flush_work(&later->work);
}

/**
 * kwaitd_later_exit() - it is not done any more
 * @later: what; nobody calls kwaitd_later_now()
 *
 * Context: process context; sleeps.
 */
void kwaitd_later_exit(struct kwaitd_later *later)
{
	raw_spin_lock_irq(&later->lock);
	later->over = true;
	raw_spin_unlock_irq(&later->lock);
	hrtimer_cancel(&later->timer);
	cancel_work_sync(&later->work);
}
