// SPDX-License-Identifier: GPL-2.0
/*
 * What a child costs in instructions, from clone() until nothing is left of it.
 *
 * For a guest of --icount with one CPU, whose time stamp counter counts the
 * instructions. Each block of children is followed by a pause long enough for
 * everything put off, by RCU, kwaitd or the slab allocator, so that nobody leaves
 * costs to the next one. The CPU never idles, as then time goes on without
 * instructions: it counts down a loop of known length, which is subtracted.
 */
#include "bench.h"

#include <dirent.h>
#include <x86intrin.h>

#define PAUSE 32000000	/* instructions: eight ticks of HZ=250 */

static void count_down(unsigned long instructions)
{
	unsigned long n = instructions / 2;

	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n) : : "cc");
}

/* Return: what was executed besides the loop */
long settle(void)
{
	unsigned long start = __rdtsc();

	count_down(PAUSE);
	return __rdtsc() - start - PAUSE;
}

/*
 * Whether a parent that is woken takes the CPU from the child that is dying is one
 * switch more or less, and depends on what both have run before. Not with SCHED_BATCH.
 */
void never_preempt(void)
{
	need(!sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){}));
}

/*
 * A slab that is empty for a moment, when RCU has freed what was in it, stays: else
 * it is chance how many pages are given back, and cleared when they are taken again.
 */
static void keep_slabs(void)
{
	char path[300];
	struct dirent *d;
	DIR *dir = opendir("/sys/kernel/slab");
	FILE *f;

	need(dir);
	while ((d = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/min_partial",
			 d->d_name);
		f = d->d_name[0] == '.' ? NULL : fopen(path, "w");
		if (f) {
			fputs("100000", f);
			fclose(f);
		}
	}
	closedir(dir);
}

/*
 * The kernel has work of its own for a while, after it has booted and when it has
 * loaded a module: key checks, for one. Return: what settle() costs then, the ticks.
 */
long quiesce(void)
{
	int calm = 0, i;
	long cost;

	keep_slabs();
	for (i = 0; i < 2000 && calm < 3; i++) {
		cost = settle();
		calm = cost < PAUSE / 64 ? calm + 1 : 0;
	}
	need(calm == 3);
	return cost;
}

static void children(const struct way *way, const struct kind *kind, int n)
{
	while (n--)
		way->child(way, kind);
}

/*
 * The tree of process ids has nodes for 64, and for 64 of these, that come and go with
 * who is in them. So where children are in it is worth a percent, and it should be
 * where others are that live, as it is on a machine that does something.
 */
static void pids_after(long pid)
{
	FILE *f = fopen("/proc/sys/kernel/ns_last_pid", "w");

	need(f && fprintf(f, "%ld", pid) > 0 && !fclose(f));
}

/* Let a way come to its steady state, with nothing put off. */
void way_enter(const struct way *way, const struct kind *kind)
{
	state_setting(&way->set);
	if (way->enter)
		way->enter();
	pids_after(1000);
	children(way, kind, WARM_UP);
	settle();
}

void way_leave(const struct way *way)
{
	if (way->leave)
		way->leave();
	need(state_at_rest());
	need(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
}

/* Did they take the way that they were meant to? */
static bool went_by(const struct way *way, const struct kind *kind, long queued,
		    long reaped, int n)
{
	if (way->native)	/* the module queues what the kernel reaps */
		return queued == 0 || queued == n;
	/* One at a time. A thread that is not quite released may be in the next one's way. */
	if (kind->bit == FOR_THREAD)
		return queued <= n / 10;
	/* An orphan that dies before its parent does is released by that. */
	if (!strcmp(way->name, "double/adopted"))
		return reaped == 0;
	if (way->set.offload && strcmp(way->set.offload, "none"))
		return queued == n;
	if (!strcmp(way->name, "double"))
		return queued == 0 && reaped == n;
	if (!strcmp(way->name, "own"))
		return queued == 0 && reaped == 0;
	return !strcmp(way->name, "thread") || (queued == 0 && reaped == 0);
}

static void measure_here(const struct way *way, const struct kind *kind,
			 const char *state, int round, int n, long ticks)
{
	long queued = state_queued(), reaped = *orphans_reaped;
	unsigned long start;
	long all;

	way_enter(way, kind);
	start = __rdtsc();
	children(way, kind, n);
	all = __rdtsc() - start + settle() - ticks;
	way_leave(way);
	need(went_by(way, kind, state_queued() - queued, *orphans_reaped - reaped,
		     WARM_UP + n));
	if (round < 0)
		return;
	printf("%s,%s,%s,%d,instructions,%.1f\n", state, kind->name, way->name, round,
	       (double)all / n);
	fflush(stdout);
}

static void measure(const struct way *way, const struct kind *kind,
		    const char *state, int round, int n, long ticks)
{
	int status;
	pid_t pid;

	if (!kind->team) {
		measure_here(way, kind, state, round, n, ticks);
		return;
	}
	pid = fork();
	if (!pid) {
		need(child_sleeping(kind->flags) > 0);
		need(child_sleeping(kind->flags) > 0);
		measure_here(way, kind, state, round, n, ticks);
		_exit(0);
	}
	need(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

bool way_possible(const struct way *way, const struct kind *kind,
		  enum state state)
{
	if (!(way->kinds & kind->bit))
		return false;
	if (way->set.offload && state == ABSENT)
		return false;
	return !way->native || state_native();
}

/* A process with its own memory costs three times as much: fewer do. */
static int enough(const struct kind *kind, int n)
{
	return kind == &kinds[FORK] ? n / 2 : n;
}

static const char * const states[] = {
	[ABSENT] = "absent",
	[LOADED] = "loaded",
};

/* Is "STATE,KIND,WAY" among what was asked for? Nothing asked for is all. */
static bool wanted(char * const *filter, enum state state, const struct kind *kind,
		   const struct way *way)
{
	char name[80];
	char * const *f;

	snprintf(name, sizeof(name), "%s,%s,%s", states[state], kind->name,
		 way->name);
	for (f = filter; *f; f++) {
		if (!strcmp(*f, name))
			return true;
	}
	return f == filter;
}

static void every_way(enum state state, const char *label, int round, int n,
		      char * const *filter)
{
	unsigned int w, k;
	long ticks;

	state_set(state);
	ticks = quiesce();
	for (k = 0; k < NR_KINDS; k++) {
		for (w = 0; w < nr_ways; w++) {
			if (way_possible(&ways[w], &kinds[k], state) &&
			    wanted(filter, state, &kinds[k], &ways[w]))
				measure(&ways[w], &kinds[k], label, round,
					enough(&kinds[k], n), ticks);
		}
	}
}

/* ROUNDS CHILDREN [STATE,KIND,WAY]... */
int mode_instructions(char **arg)
{
	int rounds = atoi(arg[0]), n = atoi(arg[1]), r;

	never_preempt();
	/* The first one fills the slabs. */
	for (r = -1; r < rounds; r++) {
		every_way(ABSENT, states[ABSENT], r, n, arg + 2);
		every_way(LOADED, states[LOADED], r, n, arg + 2);
	}
	return 0;
}

/* A process with that many living detached children, of its own memory */
static void have_marks(long n)
{
	const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES |
				    CLONE_SIGHAND | CLONE_DETACHED;
	int done[2];
	pid_t pid;
	char c;

	need(!pipe(done));
	pids_after(300000);
	pid = fork();
	if (!pid) {
		/* An orphan, too: a parent with living children is not measured. */
		if (fork())
			_exit(0);
		while (n--)
			need(child_sleeping(flags) > 0);
		need(write(done[1], "", 1) == 1);
		for (;;)
			pause();
	}
	need(pid > 0 && waitpid(pid, NULL, 0) == pid);
	close(done[1]);
	need(read(done[0], &c, 1) == 1);
	close(done[0]);
}

/*
 * ROUNDS CHILDREN MARKS...: with ever more marks. Not in turn: it takes as long to
 * have a hundred thousand children as all the rest.
 */
int mode_marks(char **arg)
{
	static char * const few[] = {
		"loaded,thread,kwaitd", "loaded,vm,kwaitd", "loaded,vm,wait4", NULL
	};
	int rounds = atoi(arg[0]), n = atoi(arg[1]), r;
	char label[40];
	long marks = 0;

	never_preempt();
	state_set(LOADED);
	for (arg += 2; *arg; arg++) {
		state_room(atol(*arg));
		have_marks(atol(*arg) - marks);
		marks = atol(*arg);
		snprintf(label, sizeof(label), "marks-%ld", marks);
		for (r = -1; r < rounds; r++)
			every_way(LOADED, label, r, n, few);
	}
	/* They end with the guest. */
	return 0;
}
