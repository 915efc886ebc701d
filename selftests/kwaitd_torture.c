// SPDX-License-Identifier: GPL-2.0
/*
 * The torture: workers make tasks of every kind and see that each ends as it must, while
 * disturbers take away what kwaitd stands on. No status may be lost, nobody may hear of a
 * detached task's death, no task may be left, and in the end the module's counters must
 * agree with the ledger.
 *
 *   kwaitd_torture [--seconds N | --tasks N] [--seed N] [--workers N]
 *		    [--actions NAME,...] [--only NAME,...] [--without NAME,...]
 *		    [--plan N]
 *
 * --only and --without name disturbers; none is "--only none". The seed repeats a run:
 * what a worker does, and in which order, depends on nothing else but --actions. --plan
 * prints the first N actions of each worker and does nothing.
 *
 * Without the module, and where it cannot be loaded, all tasks but those of the kernel's
 * own CLONE_AUTOREAP must be ordinary ones.
 *
 * The files are in torture/; torture/torture.h says which is which.
 */
#include "torture/torture.h"
#include "lib/counters.h"
#include "lib/file.h"
#include "lib/module.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/tasks.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PID_MAX "/proc/sys/kernel/pid_max"

/* With less it may be chance that a disturber, or an adoption, has shown nothing. */
#define ENOUGH_TRIES 10
#define ENOUGH_TASKS 2000
#define ENOUGH_ADOPTIONS 30

static unsigned int seconds = 60;
static unsigned int plan;
static pid_t disturber_pids[MAX_DISTURBERS];

/* Options */

static void show_usage(void)
{
	unsigned int i;

	printf("usage: kwaitd_torture [--seconds N | --tasks N] [--seed N] [--workers N]\n"
	       "                      [--actions NAME,...] [--only NAME,...]\n"
	       "                      [--without NAME,...] [--plan N]\n"
	       "actions:");
	for (i = 0; i < nr_actions; i++)
		printf(" %s", actions[i].name);
	printf("\ndisturbers:\n");
	for (i = 0; i < nr_disturbers; i++)
		printf("  %-10s %s\n", disturbers[i].name, disturbers[i].what);
}

static unsigned long number(const char *text, unsigned long max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 0);
	if (*text < '0' || *text > '9' || *end || errno || n > max) {
		fprintf(stderr, "kwaitd_torture: '%s' is not from 0 to %lu\n", text,
			max);
		exit(2);
	}
	return n;
}

static const char *action_name(unsigned int i)
{
	return actions[i].name;
}

static const char *disturber_name(unsigned int i)
{
	return disturbers[i].name;
}

/* Return: those that are named, as bits */
static unsigned int named(char *list, const char *(*name)(unsigned int i),
			  unsigned int nr)
{
	unsigned int set = 0, i;
	char *word;

	while ((word = strsep(&list, ","))) {
		for (i = 0; i < nr && strcmp(word, name(i)); i++)
			;
		if (i == nr) {
			fprintf(stderr, "kwaitd_torture: unknown name '%s'\n", word);
			exit(2);
		}
		set |= BIT(i);
	}
	return set;
}

static unsigned int named_disturbers(char *list)
{
	return strcmp(list, "none") ? named(list, disturber_name, nr_disturbers) : 0;
}

static bool options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "tasks", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 'S' },
		{ "workers", required_argument, NULL, 'w' },
		{ "actions", required_argument, NULL, 'a' },
		{ "only", required_argument, NULL, 'o' },
		{ "without", required_argument, NULL, 'x' },
		{ "plan", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	unsigned int only = ~0U, without = 0, i;
	int opt;

	ledger->seed = time(NULL) ^ getpid() << 16;
	ledger->nr_workers = 2 * sysconf(_SC_NPROCESSORS_CONF) + 1;
	ledger->mix = ~0U;
	while ((opt = getopt_long(argc, argv, "s:n:S:w:a:o:x:p:h", longs, NULL)) != -1) {
		switch (opt) {
		case 's':
			seconds = number(optarg, INT_MAX);
			break;
		case 'n':
			ledger->tasks = number(optarg, LONG_MAX);
			seconds = 0;
			break;
		case 'S':
			ledger->seed = number(optarg, ULONG_MAX);
			break;
		case 'w':
			ledger->nr_workers = number(optarg, INT_MAX);
			break;
		case 'a':
			ledger->mix = named(optarg, action_name, nr_actions);
			break;
		case 'o':
			only = named_disturbers(optarg);
			break;
		case 'x':
			without |= named_disturbers(optarg);
			break;
		case 'p':
			plan = number(optarg, INT_MAX);
			break;
		default:
			return false;
		}
	}
	for (i = 0; i < nr_disturbers; i++)
		disturbers[i].on = only & ~without & BIT(i);
	if (ledger->nr_workers > MAX_WORKERS)
		ledger->nr_workers = MAX_WORKERS;
	return optind == argc && ledger->nr_workers;
}

/* Workers */

static struct rng worker_numbers(struct worker *w)
{
	struct rng r = { ledger->seed + (w - ledger->workers) * 0x10001 };

	r.state = rng_next(&r);
	/* Every third makes no marks, and goes on while the module is to go. */
	me.kinds = (w - ledger->workers) % 3 == 2 ?
		   ~(BIT(DETACHED) | BIT(AUTOREAP)) : ~0U;
	return r;
}

/* The next action, and numbers of its own, however many it takes */
static const struct action *worker_next(struct rng *r)
{
	const struct action *action = action_next(r);

	me.rng.state = rng_next(r);
	return action;
}

static bool worker_done(struct worker *w)
{
	return load(ledger->stop) ||
	       (ledger->tasks && load(w->made) >= ledger->tasks / ledger->nr_workers);
}

static void worker_run(struct worker *w)
{
	struct rng r = worker_numbers(w);
	const struct action *action;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	actor_start(w, 0);
	while (!worker_done(w)) {
		while (load(ledger->gate) && (me.kinds & BIT(DETACHED)) &&
		       !load(ledger->stop))
			usleep(1000);
		action = worker_next(&r);
		w->action = action - actions;
		w->next = 0;
		add(w->step, 1);
		action->fn(action->arg);
		add(ledger->actions[w->action], 1);
	}
	_exit(0);
}

static void plan_show(void)
{
	struct worker *w;
	struct rng r;
	unsigned int i;

	for (w = ledger->workers; w < ledger->workers + ledger->nr_workers; w++) {
		r = worker_numbers(w);
		printf("worker %d:", (int)(w - ledger->workers));
		for (i = 0; i < plan; i++)
			printf(" %s", worker_next(&r)->name);
		printf("\n");
	}
}

/* The first process: starts all, has the orphans, and watches. */

static bool is_disturber(pid_t pid)
{
	unsigned int i;

	for (i = 0; i < nr_disturbers; i++) {
		if (disturber_pids[i] == pid) {
			disturber_pids[i] = 0;
			return true;
		}
	}
	return false;
}

static struct worker *worker_of(pid_t pid)
{
	struct worker *w;

	for (w = ledger->workers; w < ledger->workers + ledger->nr_workers; w++) {
		if (w->pid == pid)
			return w;
	}
	return NULL;
}

/* Who has died? Return: how many workers */
static unsigned int collect(void)
{
	unsigned int workers = 0;
	struct worker *w;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		w = worker_of(pid);
		if (w) {
			w->pid = 0;
			workers++;
		} else if (!is_disturber(pid)) {
			if (!ledger_orphan(pid, status))
				fail(NULL, "an orphan of nobody, %d, with status %#x",
				     pid, status);
			continue;
		}
		if (status)
			fail(NULL, "%d ended with status %#x", pid, status);
	}
	add(ledger->rounds, 1);
	return workers;
}

/* Does each worker get on? */
static bool any_stuck(void)
{
	static struct { unsigned long step; time_t since; } seen[MAX_WORKERS];
	struct worker *w;
	struct task *t;
	unsigned int i;
	bool any = false;

	for (i = 0; i < ledger->nr_workers; i++) {
		w = &ledger->workers[i];
		if (!seen[i].since || !w->pid || load(ledger->gate) ||
		    load(w->step) != seen[i].step) {
			seen[i].step = load(w->step);
			seen[i].since = time(NULL);
		}
		if (time(NULL) - seen[i].since <= STUCK)
			continue;
		any = true;
		fail(NULL, "worker %u is stuck in step %lu, %s", i, w->step,
		     actions[w->action].name);
		for (t = w->tasks; t < w->tasks + w->next && t < w->tasks + SLOTS; t++) {
			if (t->fate == PENDING)
				fail(t, "pending (%c)", kw_proc_state(t->pid));
		}
	}
	return any;
}

/* Has each disturber taken effect? But for those that are as seldom as to take memory. */
static bool all_took_effect(void)
{
	unsigned int i;

	for (i = 0; i < nr_disturbers; i++) {
		if (disturbers[i].on && disturbers[i].pause_ms <= 1000 &&
		    !load(ledger->cycles[i]))
			return false;
	}
	return true;
}

/* Was it known at least once that an orphan must vanish? */
static bool adoption_shown(unsigned long enough)
{
	return load(ledger->adoptions) < enough ||
	       load(ledger->orphans[TO_VANISH][VANISHED]);
}

/*
 * For so many seconds. A slow machine may need more of them until each disturber has
 * taken effect, and some without disturbers, until an adoption was not interfered with.
 */
static void run(void)
{
	time_t end = time(NULL) + seconds, late = end + KW_DEADLINE;
	unsigned int left = ledger->nr_workers;

	while (left) {
		left -= collect();
		if (seconds && !load(ledger->calm) && time(NULL) >= end &&
		    (all_took_effect() || time(NULL) >= late)) {
			store(ledger->calm, 1);
			late = time(NULL) + KW_DEADLINE;
		}
		if ((load(ledger->calm) && (adoption_shown(ENOUGH_ADOPTIONS) ||
					    time(NULL) >= late)) ||
		    ledger->errors > 50)
			store(ledger->stop, 1);
		if (any_stuck())
			return;
		usleep(2000);
	}
}

static void calm_down(void)
{
	time_t end = time(NULL) + STUCK;
	unsigned int i, left;

	store(ledger->calm, 1);
	do {
		collect();
		usleep(2000);
		for (i = 0, left = 0; i < nr_disturbers; i++)
			left += disturber_pids[i] > 0;
	} while (left && time(NULL) <= end);
	if (left)
		fail(NULL, "%u disturbers do not end", left);
}

/* The last accounts */

static void account_marks(void)
{
	unsigned int first = ledger->load < LOADS ? 0 : ledger->load + 1 - LOADS;
	long figures[NR_FIGURES];

	figures_take(figures);
	load_over(figures);
	for (; first <= ledger->load; first++)
		load_check(first);
}

static void account_module(void)
{
	if (!kw_until(kw_at_rest()))
		fail(NULL, "queued %ld, reaped %ld, backlog %ld", kw_queued(),
		     kw_stat("reaped"), kw_stat("backlog"));
	if (!kw_until(kw_stat("live_marks") == 0))
		fail(NULL, "%ld marks are left", kw_stat("live_marks"));
	if (!kw_until(kw_stat("adopted") == 0))
		fail(NULL, "%ld reapers are left", kw_stat("adopted"));
	if (!kw_until(kw_stat("own_children") == 0))
		fail(NULL, "%ld own children are left", kw_stat("own_children"));
	if (!kw_until(kw_stat("grace") == 0))
		fail(NULL, "%ld are left in grace", kw_stat("grace"));
	account_marks();
}

static void account_tasks(void)
{
	unsigned long ended;
	unsigned int i;

	for (i = 0; i < NR_KINDS; i++) {
		ended = ledger->ended[i][COLLECTED] + ledger->ended[i][VANISHED];
		if (ended != ledger->made[i])
			fail(NULL, "%lu of kind %u, and %lu have ended", ledger->made[i],
			     i, ended);
	}
	if (waitpid(-1, NULL, WNOHANG | __WALL) != -1 || errno != ECHILD)
		fail(NULL, "a child is left");
	if (!kw_until(kw_dead_tasks() == 0))
		fail(NULL, "%d dead tasks are left", kw_dead_tasks());
}

static unsigned long made(void)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < NR_KINDS; i++)
		sum += ledger->made[i];
	return sum;
}

/* Was it hard, and did it show what it is to show? */
static void account_run(void)
{
	unsigned int i;

	if (made() < ENOUGH_TASKS)
		return;
	for (i = 0; i < nr_disturbers; i++) {
		if (ledger->tries[i] >= ENOUGH_TRIES && !ledger->cycles[i])
			fail(NULL, "%s never took effect, in %lu tries",
			     disturbers[i].name, ledger->tries[i]);
	}
	/* Each worker may have begun one more. */
	if (!adoption_shown(ENOUGH_ADOPTIONS + MAX_WORKERS))
		fail(NULL, "%lu adoptions, and it was never known that an orphan must vanish",
		     ledger->adoptions);
}

static unsigned long orphans(enum promise promise)
{
	return ledger->orphans[promise][COLLECTED] + ledger->orphans[promise][VANISHED];
}

static void summary(void)
{
	static const char * const kinds[] = {
		"ordinary", "detached", "autoreap", "threads", "detached_threads",
		"orphans", "ignored",
	};
	const struct load *all = &ledger->all;
	unsigned long collected = 0;
	unsigned int i;

	printf("# seed %lu: %lu tasks:", ledger->seed, made());
	for (i = 0; i < NR_KINDS; i++)
		printf(" %s %lu", kinds[i], ledger->made[i]);
	printf("\n# must vanish %lu, must be collected %lu, either %lu;",
	       ledger->promised[TO_VANISH], ledger->promised[TO_COLLECT],
	       ledger->promised[UNSURE]);
	for (i = 0; i < NR_KINDS; i++)
		collected += ledger->ended[i][COLLECTED];
	printf(" collected %lu, refused %lu, excused %lu, signals %lu\n", collected,
	       ledger->refused, ledger->excused[0] + ledger->excused[1],
	       ledger->sigchld);
	printf("# adoptions %lu; orphans of who asked: must vanish %lu, be collected %lu,",
	       ledger->adoptions, orphans(TO_VANISH), orphans(TO_COLLECT));
	printf(" either %lu\n", orphans(UNSURE));
	printf("# %u loads, marked processes %ld, of %ld and up to %ld more,",
	       ledger->load + 1, all->figures[MARKED_PROCESSES] +
	       all->figures[MARK_FAILED], all->sure[0], all->unsure[0]);
	printf(" threads %ld, of %ld and up to %ld more\n# actions:",
	       all->figures[MARKED_THREADS], all->sure[1], all->unsure[1]);
	for (i = 0; i < nr_actions; i++)
		printf(" %s %lu", actions[i].name, ledger->actions[i]);
	printf("\n# cycles that took effect:");
	for (i = 0; i < nr_disturbers; i++) {
		if (disturbers[i].on)
			printf(" %s %lu (%s)", disturbers[i].name, ledger->cycles[i],
			       disturbers[i].effect);
	}
	printf("\n# lost or wrong: %u\n", ledger->errors);
}

/* Nothing of it is to outlive a failure. */
static void kill_all(void)
{
	struct worker *w;
	struct task *t;

	for (w = ledger->workers; w < ledger->workers + ledger->nr_workers; w++) {
		if (w->pid)
			kill(w->pid, SIGKILL);
		for (t = w->tasks; t < w->tasks + SLOTS; t++) {
			if (t->pid > 0 && t->fate == PENDING)
				kill(t->pid, SIGKILL);
		}
	}
}

static void start(void)
{
	struct worker *w;
	unsigned int i;
	pid_t pid;

	for (w = ledger->workers; w < ledger->workers + ledger->nr_workers; w++) {
		pid = fork();
		if (!pid)
			worker_run(w);
		w->pid = pid;
	}
	for (i = 0; i < nr_disturbers; i++) {
		if (!disturbers[i].on)
			continue;
		disturber_pids[i] = fork();
		if (disturber_pids[i])
			continue;
		me.rng.state = ledger->seed ^ (i + 1) << 20;
		disturber_run(&disturbers[i]);
	}
}

int main(int argc, char **argv)
{
	static const struct rlimit no_core;
	long figures[NR_FIGURES];
	bool loaded = kw_loaded();
	unsigned int i;

	action_exec(argc, argv);
	if (!ledger_create() || !options(argc, argv)) {
		show_usage();
		return 2;
	}
	if (plan) {
		plan_show();
		return 0;
	}
	/* A process id is not to be another's before the first is looked for. */
	if (geteuid() || (atoi(kw_read(PID_MAX)) < 4194304 &&
			  kw_write(PID_MAX, "4194304"))) {
		printf("not root\n");
		return 4;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	printf("# seed %lu, %u workers, disturbed by", ledger->seed,
	       ledger->nr_workers);
	for (i = 0; i < nr_disturbers; i++) {
		disturbers[i].on = disturbers[i].on && disturbers[i].can();
		if (disturbers[i].on)
			printf(" %s", disturbers[i].name);
		if (disturbers[i].on && !strcmp(disturbers[i].name, "failslab"))
			ledger->faults = true;
		if (disturbers[i].on && !strcmp(disturbers[i].name, "memory"))
			ledger->pressure = true;
	}
	ledger->pressure |= ledger->faults;
	printf("%s\n", loaded ? "" : "; kwaitd is not loaded");
	for (i = 0; i < NR_EPOCHS; i++)
		ledger->epochs[i].value = 1;
	ledger->epochs[EPOCH_MODULE].value = loaded;
	figures_take(figures);
	for (i = 0; i < NR_FIGURES; i++)
		figures[i] = -figures[i];
	load_over(figures);

	start();
	run();
	calm_down();
	if (ledger->errors)
		kill_all();
	else
		account_tasks();
	if (kw_loaded())
		account_module();
	else if (loaded)
		fail(NULL, "the module is gone");
	account_run();
	summary();
	return ledger->errors != 0;
}
