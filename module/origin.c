// SPDX-License-Identifier: GPL-2.0
/*
 * Whose child an orphan was, which tells who leaks.
 *
 * Nothing in the kernel remembers a parent that has died. So while there are adopted
 * reapers each birth is noted here, in one of a fixed number of slots, where it replaces
 * an older one. The answer is for people to look at, and may be that it is not known.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "origin.h"

#define SLOTS 4096	/* 192 KiB; numbers are given out in turn */
#define LOCKS 64

struct origin {
	pid_t pid;		/* this and start: of the child */
	u64 start;
	pid_t ppid;		/* its creator, when it was born */
	char comm[TASK_COMM_LEN];
};

/* By the low bits of the child's pid. Each LOCKSth slot has the same lock. */
static struct origin origins[SLOTS];
static raw_spinlock_t locks[LOCKS] = {
	[0 ... LOCKS - 1] = __RAW_SPIN_LOCK_UNLOCKED(locks),
};

/**
 * kwaitd_origin_note() - current has a child
 * @child: its group leader
 *
 * Context: fork hook.
 */
void kwaitd_origin_note(struct task_struct *child)
{
	struct origin *o = &origins[child->pid % SLOTS];
	raw_spinlock_t *lock = &locks[child->pid % LOCKS];
	unsigned long flags;

	raw_spin_lock_irqsave(lock, flags);
	o->pid = child->pid;
	o->start = child->start_boottime;
	o->ppid = current->tgid;
	memcpy(o->comm, current->comm, TASK_COMM_LEN);
	raw_spin_unlock_irqrestore(lock, flags);
}

/**
 * kwaitd_origin_find() - who created this?
 * @p: a group leader
 * @ppid: set to the process id in the initial namespace, or 0
 * @comm: set to the name then, or ""; of TASK_COMM_LEN
 *
 * Context: any.
 */
void kwaitd_origin_find(struct task_struct *p, pid_t *ppid, char *comm)
{
	struct origin *o = &origins[p->pid % SLOTS];
	raw_spinlock_t *lock = &locks[p->pid % LOCKS];
	unsigned long flags;

	*ppid = 0;
	memset(comm, 0, TASK_COMM_LEN);
	raw_spin_lock_irqsave(lock, flags);
	if (o->pid == p->pid && o->start == p->start_boottime) {
		*ppid = o->ppid;
		memcpy(comm, o->comm, TASK_COMM_LEN);
	}
	raw_spin_unlock_irqrestore(lock, flags);
}
