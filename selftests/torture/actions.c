// SPDX-License-Identifier: GPL-2.0
/*
 * What workers do: each action makes a family of tasks, lets them die in some order, and
 * ends when it has seen what became of each. What it makes and in which order depends on
 * the seed alone; when it happens does not.
 */
#include "torture.h"
#include "../lib/clone.h"
#include "../lib/ctl.h"
#include "../lib/kernel.h"
#include "../lib/patience.h"
#include "../lib/proc.h"
#include "../lib/thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES (BIT(ORDINARY) | BIT(DETACHED) | BIT(AUTOREAP))
#define MAX_STACKS 16

/* One of the kinds, if this worker may make it */
static enum kind pick(unsigned int kinds)
{
	enum kind of[NR_KINDS], kind;
	unsigned int n = 0;

	for (kind = 0; kind < NR_KINDS; kind++) {
		if (kinds & me.kinds & BIT(kind))
			of[n++] = kind;
	}
	kind = rnd(NR_KINDS * 4);
	return n ? of[kind % n] : ORDINARY;
}

static int pick_status(void)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGUSR1, SIGHUP };
	int n = rnd(200);

	return n < 4 ? signals[n] : W_EXITCODE(n, 0);
}

/* The order in which n things are to be done */
static void shuffle(unsigned int *order, unsigned int n)
{
	unsigned int i, j;

	for (i = 0; i < n; i++) {
		j = rnd(i + 1);
		order[i] = order[j];
		order[j] = i;
	}
}

static void dawdle(unsigned int turns)
{
	while (turns--)
		syscall(SYS_sched_yield);
}

/* What a child does that makes nothing itself */
static void simple_child(struct task *t, unsigned int turns)
{
	if (t->gated)
		task_wait_go(t);
	dawdle(turns);
	task_die(t);
}

static struct task *simple(enum kind kind, bool gated)
{
	struct task *t = task_new(kind, pick_status(), gated);
	unsigned int turns = rnd(8);

	if (!task_spawn(t, 0))
		simple_child(t, turns);
	return t;
}

/* A child that makes tasks itself, and exits */
static struct task *parent_new(enum kind kind)
{
	return task_new(kind, W_EXITCODE(rnd(200), 0), false);
}

/* In it: what it makes is its own, and its numbers are. */
static void parent_child(struct task *t, unsigned long seed)
{
	actor_start(me.w, seed);
	t->first = me.w->next;
}

/* Let go of the gated ones in random order, and see the end of all. */
static void family_ends(struct task **tasks, unsigned int n)
{
	unsigned int order[SLOTS], i, how = rnd(3);

	shuffle(order, n);
	for (i = 0; i < n; i++) {
		if (tasks[order[i]]->gated)
			task_go(tasks[order[i]]);
		if (how == 2)
			task_resolve(tasks[order[i]]);
	}
	if (how == 1)
		actor_wait_any();
	for (i = 0; i < n; i++)
		task_resolve(tasks[i]);
}

static void act_family(unsigned int kinds)
{
	unsigned int n = 1 + rnd(8), i;
	struct task *tasks[8], *t;

	for (i = 0; i < n; i++) {
		t = task_new(pick(kinds), pick_status(), rnd(2));
		if (!rnd(4) && t->kind != AUTOREAP)
			t->sig = SIGRTMIN + rnd(8);
		tasks[i] = t;
		if (!task_spawn(t, 0))
			simple_child(t, 0);
	}
	family_ends(tasks, n);
	actor_signals();
}

/* How it ended, by its pidfd, on kernels whose pidfds do not say */
static void check_exit_info(struct task *t)
{
	struct kwaitd_exit_info info = { .pidfd = t->pidfd };
	int err;

	if (kw_kernel_since(6, 15))
		return;
	err = kw_ctl(KWAITD_IOC_EXIT_INFO, &info);
	if (!err && info.exit_code != t->status)
		fail(t, "its pidfd says status %#x", info.exit_code);
	if (err && t->fate == VANISHED && t->promise == TO_VANISH &&
	    moment_same(&t->born, MODULE) && !no_memory(err))
		fail(t, "KWAITD_IOC_EXIT_INFO: %s", strerror(err));
}

static void act_pidfd(unsigned int kinds)
{
	unsigned int n = 1 + rnd(4), i;
	struct task *tasks[4], *t;
	struct pollfd p;

	for (i = 0; i < n; i++) {
		t = task_new(pick(kinds), pick_status(), true);
		t->wants_pidfd = true;
		tasks[i] = t;
		if (!task_spawn(t, 0))
			simple_child(t, 0);
	}
	for (i = 0; i < n; i++) {
		t = tasks[i];
		task_go(t);
		p = (struct pollfd){ .fd = t->pidfd, .events = POLLIN };
		if (t->pidfd >= 0 && poll(&p, 1, -1) != 1)
			fail(t, "poll: %m");
		task_resolve(t);
		if (t->pidfd < 0)
			continue;
		check_exit_info(t);
		if (t->fate == VANISHED && moment_same(&t->born, MODULE) &&
		    (!kw_until(poll(&p, 1, 0) == 1 && (p.revents & POLLHUP)) &&
		     moment_same(&t->born, MODULE)))
			fail(t, "gone, and its pidfd says %#x", p.revents);
		close(t->pidfd);
	}
	actor_signals();
}

static void *stack_of(unsigned int i)
{
	static char *stacks;

	if (!stacks)
		stacks = kw_stacks(MAX_STACKS);
	return stacks + i * KW_STACK;
}

/*
 * Tasks that share the caller's memory, and its libc's errno: no call of these may
 * fail.
 */
static void shared_child(struct task *t)
{
	const struct timespec moment = { .tv_nsec = 200000 };

	add(t->ran, 1);
	while (t->gated && !load(t->go))
		syscall(SYS_nanosleep, &moment, NULL);
}

static int vm_child(void *arg)
{
	shared_child(arg);
	task_die(arg);
}

static int vm_thread(void *arg)
{
	struct task *t = arg;

	shared_child(t);
	add(t->ended, 1);
	syscall(SYS_exit, 0);
	return 0;
}

/* vfork(), or CLONE_VM alone */
static void act_vm(unsigned int kinds)
{
	unsigned int n = 1 + rnd(MAX_STACKS), i;
	struct task *tasks[MAX_STACKS], *t;
	bool vfork = rnd(2);

	for (i = 0; i < n; i++) {
		/* A vfork()ing parent sleeps. */
		t = task_new(pick(kinds), pick_status(), rnd(2) && !vfork);
		tasks[i] = t;
		task_clone(t, vm_child, stack_of(i), vfork ? CLONE_VFORK : 0);
	}
	family_ends(tasks, n);
	actor_signals();
}

static void thread_ends(struct task *t, pid_t tgid)
{
	pid_t tid;

	while ((tid = load(t->tid)))
		syscall(SYS_futex, &t->tid, FUTEX_WAIT, tid, NULL, NULL, 0);
	if (!kw_until(syscall(SYS_tgkill, tgid, t->pid, 0) == -1 && errno == ESRCH))
		fail(t, "thread is still there");
	task_buried(t);
}

static enum kind pick_thread(void)
{
	/* A detached thread's mark needs no module to stay. */
	return rnd(3) ? DETACHED_THREAD : THREAD;
}

static void act_threads(unsigned int unused)
{
	unsigned int n = 1 + rnd(MAX_STACKS), order[MAX_STACKS], i;
	struct task *tasks[MAX_STACKS];

	shuffle(order, n);
	for (i = 0; i < n; i++) {
		tasks[i] = task_new(pick_thread(), 0, rnd(2));
		task_clone(tasks[i], vm_thread, stack_of(i), 0);
	}
	for (i = 0; i < n; i++) {
		if (tasks[order[i]]->gated)
			task_go(tasks[order[i]]);
		thread_ends(tasks[order[i]], getpid());
	}
	actor_signals();
}

/*
 * Many, one after the other, that are nothing but their end: so that queues fill.
 * kinds: of processes, or 0: threads
 */
static void act_burst(unsigned int kinds)
{
	unsigned int n = 50 + rnd(250), i;
	struct task *tasks[300];

	for (i = 0; i < n; i++) {
		tasks[i] = task_new(kinds ? pick(kinds) : pick_thread(),
				    kinds ? W_EXITCODE(rnd(200), 0) : 0, false);
		task_clone(tasks[i], kinds ? vm_child : vm_thread, stack_of(0),
			   CLONE_VFORK);
	}
	if (kinds) {
		family_ends(tasks, n);
	} else {
		for (i = 0; i < n; i++)
			thread_ends(tasks[i], getpid());
	}
	actor_signals();
}

/* Programs: this one again. They know their task by its number. */

static void exec_as(const char *name, struct task *t)
{
	char worker[16], slot[16];

	snprintf(worker, sizeof(worker), "%d", (int)(me.w - ledger->workers));
	snprintf(slot, sizeof(slot), "%d", (int)(t - me.w->tasks));
	do {
		execl("/proc/self/exe", name, worker, slot, NULL);
	} while (task_starved());
	fail(t, "exec: %m");
	_exit(1);
}

static void exec_simple(struct task *t)
{
	simple_child(t, 0);
}

/* Its children were made before execve(), and are still its own. */
static void exec_parent(struct task *t)
{
	actor_start(me.w, ledger->seed + me.w->step * SLOTS + t->first);
	actor_inherit(t);
	family_ends(me.tasks, me.nr);
	actor_signals();
	task_die(t);
}

static const struct {
	const char *name;
	void (*fn)(struct task *t);
} programs[] = {
	{ "kw-torture-simple", exec_simple },
	{ "kw-torture-parent", exec_parent },
};

/* Does not return if this process is one of them. */
void action_exec(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (argc != 3 || strcmp(argv[0], programs[i].name))
			continue;
		if (!ledger_attach())
			_exit(1);
		me.w = &ledger->workers[atoi(argv[1])];
		me.kinds = ~0U;
		programs[i].fn(&me.w->tasks[atoi(argv[2])]);
	}
}

static void act_exec(unsigned int kinds)
{
	unsigned int n = 1 + rnd(3), i;
	struct task *tasks[3], *t;

	for (i = 0; i < n; i++) {
		t = task_new(pick(kinds), pick_status(), rnd(2));
		tasks[i] = t;
		if (!task_spawn(t, 0)) {
			/* for execve() without failing allocations */
			actor_start(me.w, 0);
			exec_as("kw-torture-simple", t);
		}
	}
	family_ends(tasks, n);
	actor_signals();
}

static void act_exec_parent(unsigned int kinds)
{
	unsigned long seed = rng_next(&me.rng);
	struct task *t = parent_new(pick(kinds));
	unsigned int n;

	if (!task_spawn(t, 0)) {
		parent_child(t, seed);
		for (n = 1 + rnd(4); n; n--)
			simple(pick(PROCESSES), true);
		t->count = me.nr;
		exec_as("kw-torture-parent", t);
	}
	task_resolve(t);
	actor_signals();
}

/* Processes of several threads, and how they end */
enum team_end {
	BY_LEADER,	/* exit_group() while others live */
	BY_THREAD,
	BY_SIGNAL,
	BY_EXEC,	/* of a thread, which becomes the leader */
	LEADER_FIRST,	/* then the last thread ends the process */
	LEADER_LAST,
	NR_TEAM_ENDS,
};

static struct task *team_task;
static enum team_end team_end;

/* A thread that outlives what happens, or a member like any other */
static int team_thread(void *arg)
{
	struct task *t = arg;

	add(t->ran, 1);
	if (team_end == LEADER_LAST || team_end == LEADER_FIRST) {
		while (!load(t->go))
			syscall(SYS_sched_yield);
		add(t->ended, 1);
	} else {
		const struct timespec moment = { .tv_nsec = 200000 };

		while (!load(team_task->stage))
			syscall(SYS_nanosleep, &moment, NULL);
		if (t == &me.w->tasks[team_task->first]) {
			if (team_end == BY_EXEC) {
				/* for execve() without failing allocations */
				actor_start(me.w, 0);
				exec_as("kw-torture-simple", team_task);
			}
			if (team_end == BY_THREAD)
				task_die(team_task);
		}
		for (;;)
			syscall(SYS_nanosleep, &moment, NULL);
	}
	/* The last one's is the process's. */
	for (;;)
		syscall(SYS_exit, WEXITSTATUS(team_task->status));
}

static void team(struct task *t, unsigned int n)
{
	struct task *threads[MAX_STACKS];
	unsigned int i;

	team_task = t;
	t->count = n;
	for (i = 0; i < n; i++) {
		threads[i] = task_new(pick_thread(), 0, true);
		threads[i]->killed = team_end < LEADER_FIRST;
		task_clone(threads[i], team_thread, stack_of(i), 0);
	}
	if (team_end == LEADER_FIRST) {
		add(t->ended, 1);
		for (i = 0; i < n; i++)
			task_go(threads[i]);
		for (;;)
			syscall(SYS_exit, WEXITSTATUS(t->status));
	}
	if (team_end == LEADER_LAST) {
		for (i = 0; i < n; i++) {
			task_go(threads[i]);
			thread_ends(threads[i], getpid());
		}
		task_die(t);
	}
	if (team_end == BY_LEADER)
		task_die(t);
	if (team_end == BY_SIGNAL)
		kill(getpid(), SIGKILL);
	task_stage(t, 1);
	for (;;)
		pause();
}

static void act_team(unsigned int kinds)
{
	unsigned int n = 1 + rnd(8), i;
	unsigned long seed = rng_next(&me.rng);
	struct task *t;

	team_end = rnd(NR_TEAM_ENDS);
	t = parent_new(pick(kinds));
	if (team_end == BY_SIGNAL) {
		t->status = SIGKILL;
		t->killed = true;
	}
	if (!task_spawn(t, 0)) {
		parent_child(t, seed);
		team(t, n);
	}
	task_resolve(t);
	for (i = 0; i < t->count; i++)
		task_buried(&me.w->tasks[t->first + i]);
	actor_signals();
}

/* Tracers */

/* A stop of ours, not another signal's */
static void trace_stop(struct task *t)
{
	int status;

	if (waitpid(t->pid, &status, __WALL) != t->pid || !WIFSTOPPED(status))
		fail(t, "traced, and not stopped but %#x", status);
}

/* The parent traces its child: to the end, or for a moment. */
static void trace_own(struct task *t, bool to_the_end, bool attach)
{
	int status;

	t->traced = true;
	if (ptrace(attach ? PTRACE_ATTACH : PTRACE_SEIZE, t->pid, 0, 0))
		fail(t, "cannot trace: %m");
	if (!attach && ptrace(PTRACE_INTERRUPT, t->pid, 0, 0))
		fail(t, "cannot interrupt: %m");
	trace_stop(t);
	if (ptrace(to_the_end ? PTRACE_CONT : PTRACE_DETACH, t->pid, 0, 0))
		fail(t, "cannot let go: %m");
	if (!to_the_end)
		return;
	task_go(t);
	/* Signals stop it on their way. */
	while (waitpid(t->pid, &status, __WALL) == t->pid && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, t->pid, 0, WSTOPSIG(status));
	task_collected(t, status);
}

enum trace_end { SEES_END, LEAVES, LEAVES_KILLING, LEAVES_DEAD, NR_TRACE_ENDS };

/* A tracer that is not the parent */
static void trace_other(struct task *h, struct task *t, enum trace_end end)
{
	siginfo_t info;
	int status;

	if (ptrace(PTRACE_SEIZE, t->pid, 0,
		   end == LEAVES_KILLING ? PTRACE_O_EXITKILL : 0))
		fail(t, "cannot seize: %m");
	task_stage(h, 1);
	if (end == SEES_END) {
		while (waitpid(t->pid, &status, __WALL) == t->pid &&
		       WIFSTOPPED(status))
			ptrace(PTRACE_CONT, t->pid, 0, WSTOPSIG(status));
		if (status != t->status)
			fail(t, "its tracer sees status %#x", status);
	}
	if (end == LEAVES_DEAD) {
		while (!waitid(P_PID, t->pid, &info, WEXITED | WSTOPPED | __WALL |
			       WNOWAIT) && info.si_code == CLD_TRAPPED) {
			if (waitpid(t->pid, &status, __WALL | WNOHANG) == t->pid &&
			    WIFSTOPPED(status))
				ptrace(PTRACE_CONT, t->pid, 0, WSTOPSIG(status));
		}
	}
	task_die(h);
}

static void act_ptrace(unsigned int kinds)
{
	unsigned int how = rnd(4);
	enum trace_end end = rnd(NR_TRACE_ENDS);
	struct task *t = simple(pick(kinds), true), *h;

	if (how < 3) {
		trace_own(t, how == 0, how == 1);
	} else {
		if (end == LEAVES_KILLING) {
			t->status = SIGKILL;
			t->killed = true;
		}
		h = task_new(ORDINARY, 0, false);
		if (!task_spawn(h, 0)) {
			actor_start(me.w, 0);
			trace_other(h, t, end);
		}
		task_wait_stage(h, 1);
		if (end == LEAVES)
			task_resolve(h);
		if (end != LEAVES_KILLING)
			task_go(t);
		task_resolve(h);
	}
	if (t->fate == PENDING)
		task_go(t);
	/* It lets go of a child that the kernel knows to be traced no more. */
	if (how < 3 && t->fate == PENDING)
		t->traced = false;
	task_resolve(t);
	t->traced = how < 3;
	actor_signals();
}

/* Pid namespaces: families inside, and who is left when their init exits */

static void pidns(unsigned int depth);

static void ns_init(struct task *t, unsigned int depth)
{
	unsigned int n;

	for (n = 1 + rnd(2); n; n--) {
		switch (rnd(depth ? 4 : 3)) {
		case 0:
			act_family(PROCESSES);
			break;
		case 1:
			act_vm(BIT(ORDINARY) | BIT(DETACHED));
			break;
		case 2:
			act_threads(0);
			break;
		case 3:
			pidns(depth - 1);
			break;
		}
	}
	for (n = rnd(4); n; n--)
		simple(pick(PROCESSES), true)->killed = true;
	t->count = me.w->next - t->first;
	task_die(t);
}

static void pidns(unsigned int depth)
{
	unsigned long seed = rng_next(&me.rng);
	struct task *t = parent_new(pick(PROCESSES));
	unsigned int i;

	if (!task_spawn(t, CLONE_NEWPID)) {
		parent_child(t, seed);
		ns_init(t, depth);
	}
	task_resolve(t);
	for (i = 0; i < t->count; i++)
		task_buried(&me.w->tasks[t->first + i]);
	actor_signals();
}

static void act_pidns(unsigned int depth)
{
	pidns(depth);
}

/*
 * A child of the caller's that has n gated children of its own, and dies.
 * The caller, if it is a reaper, has them then.
 */
static struct task *orphans_make(unsigned int n, bool to_main)
{
	unsigned long seed = rng_next(&me.rng);
	struct task *t = parent_new(ORDINARY), *orphan;
	unsigned int i;
	enum kind kind;

	if (!task_spawn(t, 0)) {
		parent_child(t, seed);
		for (i = 0; i < n; i++) {
			kind = pick(PROCESSES);
			orphan = task_new(kind == ORDINARY ? ORPHAN : kind,
					  pick_status(), true);
			orphan->else_kind = ORPHAN;
			orphan->to_main = to_main;
			if (!task_spawn(orphan, 0))
				simple_child(orphan, 0);
		}
		t->count = me.nr;
		task_die(t);
	}
	task_resolve(t);
	/* Whatever it was to be, what a new parent hears of is SIGCHLD. */
	actor_inherit(t);
	return t;
}

static void orphans_go(struct task *m)
{
	unsigned int i;

	for (i = 0; i < m->count; i++)
		task_go(&me.w->tasks[m->first + i]);
}

static void act_subreaper(unsigned int unused)
{
	unsigned long seed = rng_next(&me.rng);
	struct task *t = parent_new(ORDINARY), *m;
	unsigned int i;

	if (!task_spawn(t, 0)) {
		parent_child(t, seed);
		if (prctl(PR_SET_CHILD_SUBREAPER, 1))
			fail(t, "subreaper: %m");
		m = orphans_make(1 + rnd(6), false);
		orphans_go(m);
		for (i = 0; i < me.nr; i++)
			task_resolve(me.tasks[i]);
		actor_signals();
		task_die(t);
	}
	task_resolve(t);
	actor_signals();
}

/* The first process looks for its orphans all the time. Has it had this one? */
static void orphan_of_main(struct task *t)
{
	unsigned long rounds;

	if (!kw_until(load(t->fate) != PENDING || kw_gone(t->pid))) {
		fail(t, "an orphan is still there (%c)", kw_proc_state(t->pid));
		return;
	}
	/* It may just be taking it. */
	rounds = load(ledger->rounds);
	while (load(t->fate) == PENDING && load(ledger->rounds) < rounds + 2)
		usleep(500);
	if (load(t->fate) == PENDING)
		task_vanished(t);
}

static void act_orphan(unsigned int unused)
{
	struct task *m = orphans_make(1 + rnd(6), true);
	unsigned int i;

	orphans_go(m);
	for (i = 0; i < m->count; i++)
		orphan_of_main(&me.w->tasks[m->first + i]);
	actor_signals();
}

/* Adopted reapers */

struct adoption {
	int err;
	struct moment since;	/* from before the ioctl */
};

static void adopt_self(struct adoption *a)
{
	struct kwaitd_adopt arg = { .pidfd = KWAITD_SELF };

	moment_take(&a->since);
	a->err = kw_ctl(KWAITD_IOC_ADOPT, &arg);
	if (!moment_good(&a->since, MODULE))
		return;
	add(ledger->adoptions, 1);
	if (a->err && !no_memory(a->err))
		fail(NULL, "adopt: %s", strerror(a->err));
}

/* Is it still? Then it may be refused nothing that it asks for. */
static bool may_ask(const struct adoption *a)
{
	return !a->err && moment_good(&a->since, MODULE);
}

/* What must become of an orphan? Who is not adopted at first is never. */
static enum promise orphan_promise(const struct adoption *a)
{
	if (a->err)
		return TO_COLLECT;
	return moment_good(&a->since, MODULE | GRACE) ? TO_VANISH : UNSURE;
}

/* An orphan of this process, which may be adopted, dies. */
static void orphan_ends(struct task *t, const struct adoption *a)
{
	int status;
	pid_t pid;

	if (t->kind != ORPHAN) {
		task_resolve(t);
		return;
	}
	t->promise = UNSURE;
	pid = waitpid(t->pid, &status, __WALL);
	t->promise = orphan_promise(a);
	if (pid == t->pid)
		task_collected(t, status);
	else if (pid < 0 && errno == ECHILD)
		task_vanished(t);
	else
		fail(t, "waitpid for an orphan returned %d: %m", pid);
	add(ledger->orphans[t->promise][t->fate], 1);
}

/* Zombies that were there before: reaped, or collected now */
static void reap_old(struct task *m, const struct adoption *a, bool reap)
{
	struct kwaitd_reap arg = { .pidfd = KWAITD_SELF };
	struct task *t;
	unsigned int i;
	int err = 0;

	if (reap)
		err = kw_ctl(KWAITD_IOC_REAP, &arg);
	/* EAGAIN: it has children that there was no memory to note, or for a thread. */
	if (err && !starved(err) && may_ask(a))
		fail(NULL, "reap: %s", strerror(err));
	for (i = 0; i < m->count; i++) {
		t = &me.w->tasks[m->first + i];
		if (t->kind != ORPHAN) {
			task_resolve(t);
			continue;
		}
		if (reap)
			t->promise = a->err || !err ? orphan_promise(a) : UNSURE;
		task_resolve(t);
		if (reap)
			add(ledger->orphans[t->promise][t->fate], 1);
		/* It was heard of when it died, before. */
		t->promise = UNSURE;
	}
}

static void adopted_reaper(struct task *t)
{
	struct kwaitd_adopt arg = { .pidfd = KWAITD_SELF };
	struct task *own[8], *old, *m;
	unsigned int n = 0, before = rnd(3), after = rnd(4), i;
	bool release = !rnd(3), reap = rnd(2);
	struct adoption a;
	siginfo_t info;
	int err;

	old = orphans_make(rnd(3), false);
	orphans_go(old);
	for (i = 0; i < old->count; i++) {
		if (me.w->tasks[old->first + i].kind == ORPHAN)
			waitid(P_PID, me.w->tasks[old->first + i].pid, &info,
			       WEXITED | WNOWAIT | __WALL);
	}
	for (; n < before; n++)
		own[n] = simple(pick(PROCESSES), true);
	adopt_self(&a);
	reap_old(old, &a, reap);
	for (; n < before + after; n++)
		own[n] = simple(pick(PROCESSES), true);
	m = orphans_make(1 + rnd(6), false);
	orphans_go(m);
	for (i = 0; i < n; i++) {
		task_go(own[i]);
		task_resolve(own[i]);
	}
	for (i = 0; i < m->count; i++)
		orphan_ends(&me.w->tasks[m->first + i], &a);
	err = release ? kw_ctl(KWAITD_IOC_RELEASE, &arg) : 0;
	if (err && !no_memory(err) && may_ask(&a))
		fail(NULL, "release: %s", strerror(err));
	if (release && !err) {
		/* From now on it hears of them. */
		m = orphans_make(1 + rnd(3), false);
		orphans_go(m);
		for (i = 0; i < m->count; i++)
			task_resolve(&me.w->tasks[m->first + i]);
	}
	actor_signals();
	task_die(t);
}

/* flags: CLONE_NEWPID for an init, 0 for a subreaper */
static void act_adopted(unsigned int flags)
{
	unsigned long seed = rng_next(&me.rng);
	struct task *t = parent_new(ORDINARY);

	if (!task_spawn(t, flags)) {
		parent_child(t, seed);
		if (!flags && prctl(PR_SET_CHILD_SUBREAPER, 1))
			fail(t, "subreaper: %m");
		adopted_reaper(t);
	}
	task_resolve(t);
	actor_signals();
}

/* A child makes the caller another one. */
static void act_sibling(unsigned int kinds)
{
	struct task *t = task_new(pick(kinds), pick_status(), true);
	struct task *s = task_new(rnd(2) ? ORDINARY : DETACHED, pick_status(), true);
	unsigned long flags;
	pid_t pid;

	if (!(me.kinds & BIT(DETACHED)))
		s->kind = ORDINARY;
	if (!task_spawn(t, 0)) {
		flags = CLONE_PARENT | SIGCHLD;
		if (s->kind == DETACHED)
			flags |= CLONE_DETACHED;
		moment_take(&s->born);
		pid = kw_fork(flags);
		if (!pid) {
			add(s->ran, 1);
			simple_child(s, 0);
		}
		/* The caller does what remains. */
		s->stage = errno;
		s->pid = pid;
		task_stage(t, 1);
		simple_child(t, 0);
	}
	task_wait_stage(t, 1);
	if (s->pid < 0) {
		/* Linux 7.1: not for one that is detached */
		if (!starved(s->stage) && (s->stage != EINVAL || !kw_native() ||
					   t->promise == TO_COLLECT))
			fail(s, "clone(CLONE_PARENT): %s", strerror(s->stage));
		me.nr--;
		s->pid = 0;
		task_go(t);
		task_resolve(t);
		actor_signals();
		return;
	}
	/* What it was born as its creator knows, and not when that was. */
	s->promise = s->kind == ORDINARY ? TO_COLLECT : UNSURE;
	if (s->kind == DETACHED && moment_same(&s->born, MODULE))
		s->promise = s->born.value[EPOCH_MODULE] ? TO_VANISH : UNSURE;
	/* It sends what its sibling would, unless kwaitd sees to it. */
	if (s->kind == ORDINARY && t->promise != TO_COLLECT)
		s->sig = 0;
	task_account(s);
	family_ends((struct task *[]){ t, s }, 2);
	if (!s->sig)
		s->sig = SIGCHLD, s->promise = UNSURE;
	actor_signals();
}

/* Children of one that ignores SIGCHLD: the kernel itself reaps them. */
static void act_ignored(unsigned int nocldwait)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };
	unsigned long seed = rng_next(&me.rng);
	struct task *t = parent_new(ORDINARY);
	unsigned int n, i;

	if (nocldwait)
		sa = (struct sigaction){ .sa_handler = SIG_DFL,
					 .sa_flags = SA_NOCLDWAIT };
	if (!task_spawn(t, 0)) {
		parent_child(t, seed);
		sigaction(SIGCHLD, &sa, NULL);
		for (n = 1 + rnd(8), i = 0; i < n; i++)
			task_go(simple(IGNORED, rnd(2)));
		actor_wait_any();
		/* SA_NOCLDWAIT sends it, and ignores the child all the same. */
		task_die(t);
	}
	task_resolve(t);
	actor_signals();
}

const struct action actions[] = {
	{ "ordinary",	act_family,	BIT(ORDINARY),			6 },
	{ "detached",	act_family,	BIT(DETACHED),			8 },
	{ "autoreap",	act_family,	BIT(AUTOREAP),			6 },
	{ "mixed",	act_family,	PROCESSES,			10 },
	{ "pidfd",	act_pidfd,	BIT(AUTOREAP),			4 },
	{ "vfork",	act_vm,		BIT(ORDINARY) | BIT(DETACHED),	12 },
	{ "threads",	act_threads,	0,				14 },
	{ "burst",	act_burst,	BIT(DETACHED),			4 },
	{ "thread_burst", act_burst,	0,				3 },
	{ "team",	act_team,	PROCESSES,			6 },
	{ "exec",	act_exec,	PROCESSES,			3 },
	{ "exec_parent", act_exec_parent, PROCESSES,			2 },
	{ "ptrace",	act_ptrace,	PROCESSES,			6 },
	{ "pidns",	act_pidns,	2,				3 },
	{ "subreaper",	act_subreaper,	0,				4 },
	{ "orphan",	act_orphan,	0,				4 },
	{ "adopted",	act_adopted,	0,				4 },
	{ "adopted_init", act_adopted,	CLONE_NEWPID,			3 },
	{ "sibling",	act_sibling,	PROCESSES,			3 },
	{ "ignored",	act_ignored,	0,				3 },
	{ "nocldwait",	act_ignored,	1,				3 },
};

const unsigned int nr_actions = sizeof(actions) / sizeof(*actions);

static unsigned int weight(unsigned int i)
{
	return ledger->mix & BIT(i) ? actions[i].weight : 0;
}

/* By weight, and by nothing but the numbers of this worker */
const struct action *action_next(struct rng *r)
{
	unsigned int sum = 0, i;

	for (i = 0; i < nr_actions; i++)
		sum += weight(i);
	sum = rng_next(r) % sum;
	for (i = 0; sum >= weight(i); i++)
		sum -= weight(i);
	return &actions[i];
}
