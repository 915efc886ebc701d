// SPDX-License-Identifier: GPL-2.0
/*
 * Later: a timer that fires in hard interrupt context and queues work, which any CPU does.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "later.h"

/* Unbound: whoever keeps a CPU does not keep the work. */
static struct workqueue_struct *wq;

/**
 * kwaitd_later_start() - before the first kwaitd_later_init()
 *
 * Context: process context; may sleep.
 * Return: 0 or -ENOMEM.
 */
int kwaitd_later_start(void)
{
	wq = alloc_workqueue("kwaitd", WQ_UNBOUND, 0);
	return wq ? 0 : -ENOMEM;
}

/**
 * kwaitd_later_stop() - after the last kwaitd_later_exit()
 *
 * Context: process context; sleeps.
 */
void kwaitd_later_stop(void)
{
	destroy_workqueue(wq);
}

static enum hrtimer_restart kwaitd_later_fires(struct hrtimer *timer)
{
	struct kwaitd_later *later = container_of(timer, struct kwaitd_later, timer);

	queue_work(wq, &later->work);
	return HRTIMER_NORESTART;
}

/**
 * kwaitd_later_init() - there is work to be done at times
 * @later: what
 * @fn: does it, in process context
 *
 * Context: any.
 */
void kwaitd_later_init(struct kwaitd_later *later, work_func_t fn)
{
	INIT_WORK(&later->work, fn);
	hrtimer_setup(&later->timer, kwaitd_later_fires, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_HARD);
	raw_spin_lock_init(&later->lock);
}

/**
 * kwaitd_later() - do the work once more
 * @later: which
 * @delay: jiffies until then. If the work has an earlier time already, that stands.
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
 * kwaitd_later_now() - do the work, and return when it is done
 * @later: which; if it has a time for later it keeps that
 *
 * Context: process context; sleeps.
 */
void kwaitd_later_now(struct kwaitd_later *later)
{
	queue_work(wq, &later->work);
	flush_work(&later->work);
}

/**
 * kwaitd_later_exit() - the work is not done any more
 * @later: which; nobody calls kwaitd_later_now()
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
