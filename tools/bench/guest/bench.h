/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's half of the benchmark. It prints samples, a line each, and leaves
 * it to others to make something of them (summary.awk):
 *
 *   STATE,KIND,WAY,ROUND,METRIC,VALUE
 *
 *   main.c		the modes, and an init for what the benchmark orphans
 *   ways.c		what a parent does to have a child's end behind it
 *   state.c		the module: absent, loaded, with marks
 *   instructions.c	mode instructions: what each way costs
 *   profile.c		mode profile: where that goes
 *   speed.c		mode speed: how many a second, and what the parent notices
 *   storm.c		mode storm: many at once
 *   waiters.c		mode waiters: how long somebody waits for dead threads
 */
#ifndef _KWAITD_BENCH_H
#define _KWAITD_BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_DETACHED
#define CLONE_DETACHED 0x00400000
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define need(cond) do {							\
	if (!(cond))							\
		need_failed(__FILE__, __LINE__, #cond);			\
} while (0)

void need_failed(const char *file, int line, const char *what);

/* main.c */

/* Of the orphans that the benchmark has made; by its init */
extern unsigned long *orphans_reaped;

/* Have it ignore SIGCHLD (SIGUSR1), or not (SIGUSR2). */
void init_order(int sig);

/* ways.c */

/* What dies */
enum { FOR_THREAD = 1, FOR_TEAM = 2, FOR_VM = 4, FOR_FORK = 8 };

struct kind {
	const char *name;
	unsigned int bit;
	unsigned long flags;	/* of clone() */
	bool team;		/* while two other threads are alive, too */
};

enum { THREAD, TEAM, VM, FORK, NR_KINDS };

extern const struct kind kinds[NR_KINDS];

/* The module's parameters for a way through it */
struct setting {
	const char *offload;
	const char *batch;
	const char *auto_adopt;
};

/* How a parent has a child, and its end behind it */
struct way {
	const char *name;
	unsigned int kinds;		/* their bits: for which it is one */
	bool native;			/* only where the kernel has CLONE_AUTOREAP */
	struct setting set;		/* the module's part in it; NULL: none */
	unsigned long flags;		/* of clone() or clone3() */
	void (*enter)(void);		/* prepare the process */
	void (*child)(const struct way *way, const struct kind *kind);
	void (*leave)(void);
	/* Many as fast as it can; NULL: one after the other */
	void (*flood)(const struct way *way, const struct kind *kind, int n);
};

extern const struct way ways[];
extern const unsigned int nr_ways;

/* A child that exits at once */
pid_t child_create(unsigned long flags, int *pidfd);
/* A child that has such a child, and exits, too */
pid_t child_create_twice(unsigned long flags);
long ways_handled(void);

/* A child that does not, until it is killed */
pid_t child_sleeping(unsigned long flags);

/* state.c */

/* The module is */
enum state { ABSENT, LOADED };

bool state_loaded(void);
void state_set(enum state state);
void state_setting(const struct setting *set);
bool state_native(void);	/* the kernel has CLONE_AUTOREAP */
bool state_at_rest(void);	/* nothing is queued */
long state_queued(void);	/* since load; 0: not loaded */
void state_room(long tasks);	/* for so many */

/* The histogram of nanoseconds from queue to release, by powers of two */
#define NR_LATENCIES 40
void state_latency(unsigned long *counts);

/* instructions.c */

#define WARM_UP 64	/* children: enough for the caches of stacks */

void never_preempt(void);
long settle(void);
long quiesce(void);
bool way_possible(const struct way *way, const struct kind *kind,
		  enum state state);
void way_enter(const struct way *way, const struct kind *kind);
void way_leave(const struct way *way);
int mode_instructions(char **arg);
int mode_marks(char **arg);

/* profile.c */

/* For plugin.c: count from here on ("1"), go on ("2"), or say what was counted ("0"). */
#define MARK(n) ".byte 0x0f, 0x1f, 0x84, 0, 'k', 'w', " n ", 0\n\t"

int mode_profile(char **arg);

/* speed.c */

/* For those who flood: the i-th child comes */
void flood_look(int i);
long tasks(void);		/* of user space, alive or not released */
void tasks_until(long n);	/* until there are no more than that */
double seconds(void);
int mode_speed(char **arg);

/* storm.c */

int mode_storm(char **arg);
int mode_orphans(char **arg);	/* run by storm: makes them */
int mode_sleeper(char **arg);	/* run by storm: an init that does not wait */

/* waiters.c */

int mode_waiters(char **arg);

#endif /* _KWAITD_BENCH_H */
