// SPDX-License-Identifier: GPL-2.0
/*
 * How detached processes ended, for those who hold a pidfd and ask.
 *
 * Since 6.15 a pidfd tells the exit status of a process that is gone
 * (PIDFD_INFO_EXIT), and since 6.9 says EPOLLHUP when it is. CLONE_AUTOREAP was
 * made for both, since there is no other way to learn anything of the child. Here
 * they are for kernels that have the one or the other not: the status by an ioctl
 * of /dev/kwaitd (ctl.c), EPOLLHUP by a hook in pidfd_poll().
 *
 * Memory: the records (mark.c) of processes whose struct pid someone refers to,
 * so no more than there are pidfds, or open directories in /proc. When the last
 * goes nobody tells, so the records are looked through now and then.
 */
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/wait.h>

#include "compat.h"
#include "kwaitd.h"
#include "later.h"
#include "mark.h"

/* Between two sweeps; with records, and with nothing but living processes. */
#define SWEEP_RECORDS HZ
#define SWEEP_LIVE (60 * HZ)

static struct kwaitd_later sweep_work;
static atomic_t sweep_soon;	/* there may be records, the sweep comes for them */

static void kwaitd_status_sweep(struct work_struct *work)
{
	/* and then look; the other one looks after it has left a record */
	atomic_xchg(&sweep_soon, 0);
	kwaitd_mark_sweep();
	if (atomic_long_read(&kwaitd_mark_records))
		kwaitd_later(&sweep_work, SWEEP_RECORDS);
	else if (atomic_long_read(&kwaitd_mark_live))
		kwaitd_later(&sweep_work, SWEEP_LIVE);
}

/**
 * kwaitd_status_watch() - there is a marked process
 *
 * Context: any.
 */
void kwaitd_status_watch(void)
{
	if (!kwaitd_later_pending(&sweep_work))
		kwaitd_later(&sweep_work, SWEEP_LIVE);
}

/* Marks whose pidfds have yet to be told that their process is gone. */
static LLIST_HEAD(hangups);

static struct kwaitd_later hangup_work;

/*
 * The process is released a moment after its mark came here, by whomever: that
 * has no end that could be hooked, so look each tick.
 */
static void kwaitd_hangup(struct work_struct *work)
{
	struct kwaitd_mark *mark, *next;

	llist_for_each_entry_safe(mark, next, llist_del_all(&hangups), llist) {
		if (pid_has_task(mark->pid, PIDTYPE_PID)) {
			llist_add(&mark->llist, &hangups);
			continue;
		}
		wake_up_all(&mark->pid->wait_pidfd);
		/* The last to be done: kwaitd_mark_sweep() may free it now. */
		smp_store_release(&mark->hanging_up, false);
	}
	if (!llist_empty(&hangups))
		kwaitd_later(&hangup_work, 1);
}

/**
 * kwaitd_status_keep() - there is a record
 * @mark: of a process that is about to be released
 *
 * Context: hooks; tasklist_lock may be held.
 */
void kwaitd_status_keep(struct kwaitd_mark *mark)
{
	if (!atomic_xchg(&sweep_soon, 1))
		kwaitd_later(&sweep_work, SWEEP_RECORDS);
	if (mark->hanging_up && llist_add(&mark->llist, &hangups))
		kwaitd_later(&hangup_work, 1);
}

void kwaitd_status_init(void)
{
	kwaitd_later_init(&sweep_work, kwaitd_status_sweep);
	kwaitd_later_init(&hangup_work, kwaitd_hangup);
}

/**
 * kwaitd_status_exit() - nothing comes any more
 *
 * Context: process context; may sleep.
 */
void kwaitd_status_exit(void)
{
	kwaitd_later_exit(&hangup_work);
	kwaitd_later_exit(&sweep_work);
}
