/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a child ends. An ordinary child becomes a zombie, sends SIGCHLD and has a wait
 * status. A detached child vanishes, and its parent has nobody to wait for.
 */
#ifndef _KWAITD_LIB_END_H
#define _KWAITD_LIB_END_H

#include "clone.h"
#include "patience.h"
#include "proc.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * Wait for the end of the caller's dying child. An ordinary child is collected, and
 * *status is its wait status. Return: whether it ended as a child of its kind must
 */
static inline bool kw_ends(enum kw_kind kind, pid_t pid, int *status)
{
	if (kind == KW_ORDINARY)
		return kw_until(kw_proc_state(pid) == 'Z') &&
		       waitpid(pid, status, __WALL) == pid;
	return kw_until(kw_gone(pid)) &&
	       waitpid(pid, status, __WALL) == -1 && errno == ECHILD;
}

/* Block SIGCHLD, so that it stays pending. Children and programs inherit this. */
static inline void kw_hold_sigchld(void)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
}

/* Has a blocked SIGCHLD come since the last call? */
static inline bool kw_took_sigchld(void)
{
	const struct timespec at_once = {};
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	return sigtimedwait(&chld, NULL, &at_once) == SIGCHLD;
}

/*
 * As kw_ends(), with SIGCHLD blocked. An ordinary child must also have that status and
 * have sent SIGCHLD, a detached one must not have sent it.
 */
static inline bool kw_ends_with(enum kw_kind kind, pid_t pid, int status)
{
	bool ordinary = kind == KW_ORDINARY;
	int seen = -1;

	return kw_ends(kind, pid, &seen) && (!ordinary || seen == status) &&
	       kw_proc_pending(getpid(), SIGCHLD) == ordinary;
}

#endif /* _KWAITD_LIB_END_H */
