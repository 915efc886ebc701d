/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A reaper that obeys the test: start one, give it orders, see what became of its
 * children. As a rule it is the init of a pid namespace. reaper_orders.h has the orders.
 */
#ifndef _KWAITD_LIB_REAPER_H
#define _KWAITD_LIB_REAPER_H

#include "clone.h"
#include "counters.h"
#include "ctl.h"
#include "patience.h"
#include "reaper_main.h"
#include "reaper_orders.h"
#include "tasks.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* The test's end of the socket, and the process at the other end */
struct kw_reaper {
	int fd;
	pid_t pid;
};

/*
 * Start a reaper, with clone flags such as CLONE_NEWPID. It ends when the caller does.
 * inner, or NULL: the end of another socket, for the reaper that KW_SPAWN creates
 */
static inline bool kw_reaper_start(struct kw_reaper *r, unsigned long flags,
				   struct kw_reaper *inner)
{
	int fds[4];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds + 2))
		return false;
	r->pid = kw_fork(flags | SIGCHLD);
	if (!r->pid) {
		close(fds[0]);
		close(fds[2]);
		/* The second must be the first + 2, see kw_reaper_main(). */
		dup2(fds[1], 100);
		dup2(fds[3], 102);
		close(fds[1]);
		close(fds[3]);
		kw_reaper_main(100);
	}
	close(fds[1]);
	close(fds[3]);
	r->fd = fds[0];
	if (inner)
		*inner = (struct kw_reaper){ .fd = fds[2] };
	else
		close(fds[2]);
	return r->pid > 0;
}

/* Give an order, and do not wait until the reaper has obeyed. kw_answer() does. */
static inline bool kw_send(struct kw_reaper *r, enum kw_op op, long arg, long arg2)
{
	struct kw_order o = { op, arg, arg2 };

	return send(r->fd, &o, sizeof(o), 0) == sizeof(o);
}

/* Wait until the reaper has obeyed. Return: its answer */
static inline struct kw_answer kw_answer(struct kw_reaper *r)
{
	struct kw_answer a;

	if (recv(r->fd, &a, sizeof(a), 0) == sizeof(a))
		return a;
	return (struct kw_answer){ .ret = -1, .err = EPIPE };
}

/* Give an order with two arguments. Return: the answer */
static inline struct kw_answer kw_tell2(struct kw_reaper *r, enum kw_op op,
					long arg, long arg2)
{
	if (kw_send(r, op, arg, arg2))
		return kw_answer(r);
	return (struct kw_answer){ .ret = -1, .err = EPIPE };
}

/* Give an order with one argument. Return: what the answer says it returned */
static inline long kw_tell(struct kw_reaper *r, enum kw_op op, long arg)
{
	return kw_tell2(r, op, arg, 0).ret;
}

/* Make the reaper exit, and wait for it. Return: its wait status */
static inline int kw_reaper_stop(struct kw_reaper *r)
{
	struct kw_order o = { .op = KW_EXIT, .arg = KW_CODE };
	int status = -1;

	if (send(r->fd, &o, sizeof(o), 0) != sizeof(o))
		kill(r->pid, SIGKILL);
	waitpid(r->pid, &status, 0);
	/* Close it only now: a recv() about to block might miss the order otherwise. */
	close(r->fd);
	return status;
}

/*
 * Make an own child of the reaper die. Return: whether it sent SIGCHLD and the reaper
 * could wait for it
 */
static inline bool kw_child_ends(struct kw_reaper *r, long pid)
{
	struct kw_answer a;

	if (kw_tell2(r, KW_KILL, pid, SIGUSR1).ret)
		return false;
	a = kw_tell2(r, KW_WAIT, pid, 0);
	return a.ret == pid && a.status == KW_EXITED && kw_tell(r, KW_SIGCHLD, 0);
}

/*
 * Wait for the end of an adopted reaper's orphans. Return: whether n of them have died
 * since it was adopted, and none is left
 */
static inline bool kw_took_orphans(pid_t pid, long n)
{
	struct kwaitd_reaper info;

	return kw_until(kw_listed(pid, &info) && (long)info.orphans == n) &&
	       kw_until(kw_at_rest() && kw_zombies_of(pid) == 0);
}

#endif /* _KWAITD_LIB_REAPER_H */
