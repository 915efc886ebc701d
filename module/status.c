// SPDX-License-Identifier: GPL-2.0
/*
 * How detached processes ended, for those who hold a pidfd and ask.
 *
 * Since 6.9 a pidfd says EPOLLHUP when its process is gone. Since 6.15 it also tells the
 * exit status (PIDFD_INFO_EXIT). CLONE_AUTOREAP was made for both: there is no other way to
 * learn anything of such a child. This file gives both to kernels that lack them: the
 * status by an ioctl of /dev/kwaitd (ctl.c), EPOLLHUP by a hook in pidfd_poll().
 *
 * Memory: there is a record (mark.c) for each dead process whose struct pid someone refers
 * to, so there are no more records than pidfds, and open directories in /proc. Nobody tells
 * when the last reference goes. So the records are looked through now and then.
 */
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/wait.h>

#include "compat.h"
#include "later.h"
#include "mark.h"
#include "status.h"

/* From one look through the marks to the next: with records, and without */
#define TIDY_RECORDS HZ
#define TIDY_LIVE (60 * HZ)

static struct kwaitd_later tidy_work;
static atomic_t tidy_soon;	/* the look is due within TIDY_RECORDS */

static void kwaitd_status_tidy(struct work_struct *work)
{
	/* First this, then the look: who leaves a record does it in the other order. */
	atomic_xchg(&tidy_soon, 0);
	kwaitd_mark_tidy();
	if (atomic_long_read(&kwaitd_mark_records))
		kwaitd_later(&tidy_work, TIDY_RECORDS);
	else if (atomic_long_read(&kwaitd_mark_live))
		kwaitd_later(&tidy_work, TIDY_LIVE);
}

/**
 * kwaitd_status_watch() - see to it that the marks are looked through
 *
 * To be called after a process was marked.
 *
 * Context: any.
 */
void kwaitd_status_watch(void)
{
	if (!kwaitd_later_pending(&tidy_work))
		kwaitd_later(&tidy_work, TIDY_LIVE);
}

/* Marks whose pidfds have yet to be told that their process is gone. */
static LLIST_HEAD(hangups);

static struct kwaitd_later hangup_work;

/*
 * A process is released a moment after its mark came here. There is no end of that which
 * could be hooked, so this looks once in a tick.
 */
static void kwaitd_hangup(struct work_struct *work)
{
	struct kwaitd_mark *mark, *next;

	llist_for_each_entry_safe(mark, next, llist_del_all(&hangups), llist) {
		if (pid_has_task(mark->entry.pid, PIDTYPE_PID)) {
			llist_add(&mark->llist, &hangups);
			continue;
		}
		wake_up_all(&mark->entry.pid->wait_pidfd);
		/* The last thing to do with the mark: kwaitd_mark_tidy() may free it now. */
		smp_store_release(&mark->hanging_up, false);
	}
	if (!llist_empty(&hangups))
		kwaitd_later(&hangup_work, 1);
}

/**
 * kwaitd_status_release() - a process is about to be released
 * @leader: its group leader
 *
 * Context: hooks; preemption off, tasklist_lock may be held.
 * Return: whether the process had a mark. It has none any more, but for a record of its
 * end if somebody can ask for that.
 */
bool kwaitd_status_release(struct task_struct *leader)
{
	struct kwaitd_mark *record;
	bool marked = kwaitd_mark_release(leader, &record);

	if (!record)
		return marked;
	if (!atomic_xchg(&tidy_soon, 1))
		kwaitd_later(&tidy_work, TIDY_RECORDS);
	if (record->hanging_up && llist_add(&record->llist, &hangups))
		kwaitd_later(&hangup_work, 1);
	return marked;
}

/**
 * kwaitd_status_init() - before the hooks are armed
 *
 * Context: any.
 */
void kwaitd_status_init(void)
{
	kwaitd_later_init(&tidy_work, kwaitd_status_tidy);
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
	kwaitd_later_exit(&tidy_work);
}
