/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a test and its reaper say to each other over a socket: the test sends an order,
 * and the reaper sends an answer when it has obeyed.
 */
#ifndef _KWAITD_LIB_REAPER_ORDERS_H
#define _KWAITD_LIB_REAPER_ORDERS_H

/* What to do. The answer's ret is what the system call returned, unless said here. */
enum kw_op {
	KW_CHILD,	/* create an own child, by enum kw_how arg; ret is its pid */
	KW_ORPHANS,	/* create arg orphans that die by enum kw_death arg2; ret is arg */
	KW_LIVING,	/* create arg orphans that live until killed; ret is arg */
	KW_KILL,	/* send the signal arg2 to the process arg */
	KW_WAIT,	/* waitpid() for arg, with options arg2 */
	KW_SIGCHLD,	/* ret is whether SIGCHLD came since the last such order */
	KW_SUBREAPER,	/* become a subreaper, or with arg 0 stop being one */
	KW_COLLECT,	/* wait for all children that are dead; ret is how many */
	KW_EXEC,	/* execute this program again, with arg 1 in another thread */
	KW_SPAWN,	/* create a reaper on the second socket, with clone flags arg */
	KW_EXIT,	/* exit with arg; there is no answer */
};

/* How an own child is created. KW_BY_EXEC: by fork, then execve() in another thread */
enum kw_how { KW_BY_FORK, KW_BY_THREAD, KW_BY_VFORK, KW_BY_EXEC, KW_BY_SIBLING };

/* How an orphan dies. Before its parent: it is a zombie when it becomes an orphan. */
enum kw_death { KW_AFTER_PARENT, KW_BEFORE_PARENT, KW_BY_SIGNAL };

struct kw_order {
	enum kw_op op;
	long arg, arg2;
};

/* status: of KW_WAIT. err: errno, if ret is -1 */
struct kw_answer {
	long ret;
	int status, err;
};

#endif /* _KWAITD_LIB_REAPER_ORDERS_H */
