/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The torture: what its files share.
 *
 *   ../kwaitd_torture.c	options, the workers' lives, the last accounts
 *   actions.c	what a worker does: one kind of family at a time, made and buried
 *   ledger.c	tasks, what must become of each, and whether it did
 *   disturb.c	what makes it hard
 */
#ifndef _TORTURE_H
#define _TORTURE_H

#include "../lib/patience.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#define BIT(n) (1U << (n))
#ifndef __printf
#define __printf(fmt, args) \
	__attribute__((format(printf, fmt, \
			      args)))
#endif

#define MAX_WORKERS 32
#define SLOTS 1024		/* tasks of one action, with all that they make */
#define MAX_ACTIONS 32
#define MAX_DISTURBERS 16
#define MAX_ORPHANS 8		/* of one adopted reaper */
#define LOADS 64		/* of the module that are remembered */
#define LEDGER_FD 200		/* for programs that were executed */
#define STUCK (3 * KW_DEADLINE)	/* s; longer than anything here waits */

enum kind {
	ORDINARY,
	DETACHED,		/* clone(CLONE_DETACHED) */
	AUTOREAP,		/* clone3(CLONE_AUTOREAP) */
	THREAD,
	DETACHED_THREAD,
	ORPHAN,			/* an ordinary child whose parent dies first */
	IGNORED,		/* an ordinary child of one that ignores SIGCHLD */
	NR_KINDS,
};

/* What has become of a task */
enum fate { PENDING, COLLECTED, VANISHED, NR_FATES };

/* What must become of it, by what there was when it was created */
enum promise {
	UNSURE,			/* kwaitd came or went at that moment */
	TO_COLLECT,
	TO_VANISH,
};

/*
 * What a disturber changes and a task's fate depends on. The sequence is odd while
 * it changes; the value is 1 when kwaitd works as ever. One writer each.
 */
enum epoch { EPOCH_MODULE, EPOCH_GRACE, NR_EPOCHS };

#define MODULE BIT(EPOCH_MODULE)
#define GRACE BIT(EPOCH_GRACE)

struct moment {
	unsigned int load;	/* of the module, at the earliest */
	unsigned int seq[NR_EPOCHS], value[NR_EPOCHS];
};

/* What the module counts, from 0 on at each load; excused[] has the last two */
enum figure { MARKED_PROCESSES, MARKED_THREADS, MARK_FAILED, ADOPT_PAUSED, NR_FIGURES };

/* One task, from before its creation to its end. ran, ended: its own account */
struct task {
	unsigned long serial;
	pid_t pid, tid;
	enum kind kind;
	enum kind else_kind;	/* where there is no CLONE_AUTOREAP */
	enum fate fate;
	enum promise promise;
	struct moment born;
	int sig, status;	/* how it is to end */
	int pidfd;
	bool wants_pidfd;
	bool gated;		/* dies when told to go */
	bool killed;		/* may not come to its end, or even its start */
	bool traced;
	bool to_main;		/* its reaper is the torture's first process */
	unsigned int go, stage;	/* futexes */
	unsigned int ran, ended;
	unsigned int signals;	/* of its death, seen by who may hear of it */
	unsigned int first, count; /* slots of the tasks that it has made */
};

/* One load of the module, and tasks that it has marked, or may have */
struct load {
	long figures[NR_FIGURES]; /* all that it counted */
	long sure[2], unsure[2]; /* processes; threads */
};

struct worker {
	pid_t pid;
	unsigned int action;	/* that it is at */
	unsigned long step;	/* how many it has begun */
	unsigned long made;	/* tasks */
	unsigned int next;	/* free slot */
	struct task tasks[SLOTS];
};

/* Shared by all. Counters only ever grow, atomically. */
struct ledger {
	unsigned long seed;
	unsigned int nr_workers;
	unsigned long tasks;	/* to make in all; 0: until told to stop */
	unsigned int mix;	/* of actions, as bits */
	unsigned int stop, calm; /* workers; disturbers */
	unsigned int gate;	/* closed: no new marks, so that the module can go */
	int ftrace;		/* disturbers that need it on; -1: it is off */
	bool pressure;		/* memory may be short */
	bool faults;		/* ... by failslab */
	unsigned long rounds;	/* of the first process */
	unsigned int errors;
	unsigned long serial;
	unsigned long made[NR_KINDS], ended[NR_KINDS][NR_FATES];
	unsigned long promised[3], refused, sigchld;
	unsigned long adoptions, orphans[3][NR_FATES]; /* of adopted reapers */
	unsigned long excused[2]; /* by MARK_FAILED; by ADOPT_PAUSED */
	unsigned int load;	/* the last, from 0; it may be still to come */
	struct load loads[LOADS];
	struct load all;	/* the sum, as far as they are over */
	unsigned long actions[MAX_ACTIONS];
	unsigned long tries[MAX_DISTURBERS];	/* cycles, ... */
	unsigned long cycles[MAX_DISTURBERS];	/* ... and those that took effect */
	struct { unsigned int seq, value; } epochs[NR_EPOCHS];
	struct worker workers[MAX_WORKERS];
};

extern struct ledger *ledger;

/* Numbers that depend on nothing but the seed */
struct rng {
	unsigned long state;
};

/* This process, if it makes tasks */
struct actor {
	struct worker *w;
	struct rng rng;
	unsigned int kinds;	/* that it may make, as bits */
	struct task *tasks[SLOTS];
	unsigned int nr;
	int fault_fd;		/* make-it-fail, or -1 */
};

extern struct actor me;

static inline unsigned long rng_next(struct rng *r)
{
	unsigned long z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* From 0 to n - 1 */
static inline unsigned int rnd(unsigned int n)
{
	return rng_next(&me.rng) % n;
}

#define add(counter, n) __atomic_add_fetch(&(counter), n, __ATOMIC_RELAXED)
#define load(var) __atomic_load_n(&(var), __ATOMIC_ACQUIRE)
#define store(var, val) __atomic_store_n(&(var), val, __ATOMIC_RELEASE)

/* ledger.c */

void figures_take(long *figures);
void load_over(const long *figures);
void load_check(unsigned int nr);
void load_next(void);
bool ledger_create(void);
bool ledger_attach(void);
void __printf(2, 3) fail(const struct task *t, const char *fmt, ...);
void epoch_begin(enum epoch e);
void epoch_end(enum epoch e, unsigned int value);
void epoch_cancel(enum epoch e);
void moment_take(struct moment *m);
bool moment_same(const struct moment *m, unsigned int epochs);
bool moment_good(const struct moment *m, unsigned int epochs);

void actor_start(struct worker *w, unsigned long seed);
void actor_task(struct task *t);
void actor_inherit(const struct task *t);
struct task *task_new(enum kind kind, int status, bool gated);
bool no_memory(int err);
bool starved(int err);
bool task_starved(void);
pid_t task_spawn(struct task *t, unsigned long flags);
pid_t task_clone(struct task *t, int (*fn)(void *), void *stack, unsigned long flags);
void task_account(const struct task *t);
void task_go(struct task *t);
void task_wait_go(struct task *t);
void task_stage(struct task *t, unsigned int stage);
void task_wait_stage(struct task *t, unsigned int stage);
noreturn void task_die(struct task *t);
void task_collected(struct task *t, int status);
void task_vanished(struct task *t);
void task_buried(struct task *t);
void task_resolve(struct task *t);
void actor_wait_any(void);
void actor_signals(void);
bool ledger_orphan(pid_t pid, int status);

/* actions.c: name, function, how often */

struct action {
	const char *name;
	void (*fn)(unsigned int arg);
	unsigned int arg, weight;
};

extern const struct action actions[];
extern const unsigned int nr_actions;

const struct action *action_next(struct rng *r);
void action_exec(int argc, char **argv);

/* disturb.c */

struct disturber {
	const char *name;
	bool (*can)(void);
	bool (*cycle)(void);	/* returns whether it took effect */
	void (*undo)(void);
	unsigned int pause_ms;	/* between two cycles, on average */
	const char *what;
	const char *effect;	/* of a cycle, in a word or two */
	bool hinders_load;	/* of the module */
	bool on;
};

extern struct disturber disturbers[];
extern const unsigned int nr_disturbers;

noreturn void disturber_run(struct disturber *d);

#endif /* _TORTURE_H */
