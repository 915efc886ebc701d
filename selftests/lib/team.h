/* SPDX-License-Identifier: GPL-2.0 */
/* A child with several threads, for tests of how such a process ends. */
#ifndef _KWAITD_LIB_TEAM_H
#define _KWAITD_LIB_TEAM_H

#include "clone.h"
#include "thread.h"

#include <linux/sched.h>
#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

/* How many threads there are, and what each of them does */
struct kw_team {
	int (*leader)(void *arg);
	int (*first)(void *arg);	/* of the other threads */
	int (*rest)(void *arg);
	void *arg;
	unsigned int threads;	/* besides the leader */
	unsigned long flags;	/* CLONE_DETACHED or nothing */
};

/*
 * Go through the sizes of a team: no other thread, then 1, 2, 8 and 32, each with
 * ordinary and with detached threads. Return: false if there are no more
 */
static inline bool kw_team_next(struct kw_team *team)
{
	if (team->threads && !team->flags) {
		team->flags = CLONE_DETACHED;
		return true;
	}
	team->flags = 0;
	team->threads = team->threads < 2 ? team->threads + 1 : team->threads * 4;
	return team->threads <= 32;
}

/*
 * Create a child that is such a team. Not all of its threads exist when this returns:
 * wait until /proc counts them.
 */
static inline pid_t kw_team(enum kw_kind kind, __u64 flags,
			    const struct kw_team *team)
{
	pid_t pid = kw_child(kind, flags), tid;
	unsigned int i;
	char *stacks;

	if (pid)
		return pid;
	stacks = kw_stacks(team->threads);
	for (i = 0; stacks && i < team->threads; i++)
		kw_clone_thread(team->flags, i ? team->rest : team->first,
				stacks + i * KW_STACK, team->arg, &tid);
	team->leader(team->arg);
	_exit(1);
}

#endif /* _KWAITD_LIB_TEAM_H */
