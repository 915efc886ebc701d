/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reaper's side: a process that obeys orders. It does nothing else, and above all
 * it waits for no child unless it is told to. The reaper and its children may also be
 * this program executed again, which a constructor finds out before main().
 */
#ifndef _KWAITD_LIB_REAPER_MAIN_H
#define _KWAITD_LIB_REAPER_MAIN_H

#include "clone.h"
#include "end.h"
#include "reaper_children.h"
#include "reaper_orders.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static inline void kw_reaper_main(int fd);

/* Execute this program again, as a reaper that has the same socket. */
static inline void *kw_exec_reaper(void *fd)
{
	execl("/proc/self/exe", "kw-reaper", fd, NULL);
	_exit(1);
}

static inline struct kw_answer kw_obey(int fd, struct kw_order *o)
{
	struct kw_answer a = {};
	char arg[16];

	switch (o->op) {
	case KW_CHILD:
		a.ret = kw_own_child(o->arg);
		break;
	case KW_ORPHANS:
		a.ret = kw_orphans(o->arg, o->arg2, false);
		break;
	case KW_LIVING:
		a.ret = kw_orphans(o->arg, 0, true);
		break;
	case KW_KILL:
		a.ret = kill(o->arg, o->arg2);
		break;
	case KW_WAIT:
		a.ret = waitpid(o->arg, &a.status, o->arg2);
		break;
	case KW_SIGCHLD:
		a.ret = kw_took_sigchld();
		break;
	case KW_SUBREAPER:
		a.ret = prctl(PR_SET_CHILD_SUBREAPER, o->arg);
		break;
	case KW_COLLECT:
		while (waitpid(-1, NULL, WNOHANG) > 0)
			a.ret++;
		break;
	case KW_EXEC:
		/* The executed program sends the answer. */
		snprintf(arg, sizeof(arg), "%d", fd);
		if (o->arg)
			kw_exec_in_thread(kw_exec_reaper, arg);
		execl("/proc/self/exe", "kw-reaper", arg, NULL);
		a.ret = -1;
		break;
	case KW_SPAWN:
		a.ret = kw_fork(o->arg | SIGCHLD);
		if (!a.ret) {
			close(fd);
			prctl(PR_SET_NAME, "kw-inner");
			kw_reaper_main(fd + 2);
		}
		close(fd + 2);
		break;
	case KW_EXIT:
		_exit(o->arg);
	}
	a.err = errno;
	return a;
}

/* Obey the orders that come from fd. fd + 2 may be the socket of another reaper. */
static inline void kw_reaper_main(int fd)
{
	struct kw_answer a;
	struct kw_order o;
	sigset_t set;

	/* Children inherit this: SIGUSR1 may come before they wait for it. */
	kw_hold_sigchld();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (recv(fd, &o, sizeof(o), 0) == sizeof(o)) {
		a = kw_obey(fd, &o);
		if (send(fd, &a, sizeof(a), 0) != sizeof(a))
			break;
	}
	_exit(0);
}

/* This program, executed again: its name says what it is to be. */
static void __attribute__((constructor)) kw_reaper_exec(int argc, char **argv)
{
	struct kw_answer a = {};
	int fd;

	if (argc == 1 && !strcmp(argv[0], "kw-linger"))
		kw_linger();
	if (argc != 2 || strcmp(argv[0], "kw-reaper"))
		return;
	fd = atoi(argv[1]);
	if (send(fd, &a, sizeof(a), 0) == sizeof(a))
		kw_reaper_main(fd);
	_exit(1);
}

#endif /* _KWAITD_LIB_REAPER_MAIN_H */
