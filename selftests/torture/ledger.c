// SPDX-License-Identifier: GPL-2.0
/*
 * The ledger: each task from before its creation to its end, what must become of it, and
 * whether it did.
 *
 * An ordinary child is collected with its exact status, and sends its signal. A detached
 * one vanishes: nobody can wait for it, and nobody hears of it. Which of the two a child
 * created with CLONE_DETACHED is depends on whether kwaitd was there at that moment, and
 * the disturbers tell the ledger so. Only if that changed while clone() ran may the child
 * be either.
 */
#include "torture.h"
#include "../lib/clone.h"
#include "../lib/file.h"
#include "../lib/kernel.h"
#include "../lib/patience.h"
#include "../lib/proc.h"
#include "../lib/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct ledger *ledger;
struct actor me = { .fault_fd = -1 };

static bool ledger_map(int fd)
{
	ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	return ledger != MAP_FAILED;
}

bool ledger_create(void)
{
	int fd = memfd_create("kwaitd_torture", 0);

	return fd >= 0 && dup2(fd, LEDGER_FD) == LEDGER_FD && !close(fd) &&
	       !ftruncate(LEDGER_FD, sizeof(*ledger)) && ledger_map(LEDGER_FD);
}

/* In a program that was executed */
bool ledger_attach(void)
{
	return ledger_map(LEDGER_FD);
}

/* A discrepancy: said at once, in one write, and counted */
void fail(const struct task *t, const char *fmt, ...)
{
	static const char * const kinds[] = {
		"ordinary", "detached", "autoreap", "thread", "detached thread",
		"orphan", "ignored",
	};
	static const char * const promises[] = { "either", "collect", "vanish" };
	char line[512];
	int n = 0, err = errno;
	va_list args;

	if (add(ledger->errors, 1) > 50)
		return;
	n += snprintf(line + n, sizeof(line) - n, "# DISCREPANCY");
	if (me.w)
		n += snprintf(line + n, sizeof(line) - n, " worker %d step %lu %s",
			      (int)(me.w - ledger->workers), me.w->step,
			      actions[me.w->action].name);
	if (t)
		n += snprintf(line + n, sizeof(line) - n,
			      " task %lu %s to %s pid %d status %#x ran %u ended %u go %u traced %d",
			      t->serial, kinds[t->kind], promises[t->promise], t->pid,
			      t->status, t->ran, t->ended, t->go, t->traced);
	n += snprintf(line + n, sizeof(line) - n, ": ");
	va_start(args, fmt);
	errno = err;
	n += vsnprintf(line + n, sizeof(line) - n, fmt, args);
	va_end(args);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(2, line, n) != n)
		_exit(1);
	errno = err;
}

/* Moments */

void epoch_begin(enum epoch e)
{
	__atomic_add_fetch(&ledger->epochs[e].seq, 1, __ATOMIC_SEQ_CST);
}

void epoch_end(enum epoch e, unsigned int value)
{
	store(ledger->epochs[e].value, value);
	__atomic_add_fetch(&ledger->epochs[e].seq, 1, __ATOMIC_SEQ_CST);
}

/* It did not change after all. */
void epoch_cancel(enum epoch e)
{
	__atomic_sub_fetch(&ledger->epochs[e].seq, 1, __ATOMIC_SEQ_CST);
}

void moment_take(struct moment *m)
{
	unsigned int i;

	m->load = load(ledger->load);
	for (i = 0; i < NR_EPOCHS; i++) {
		m->seq[i] = load(ledger->epochs[i].seq);
		m->value[i] = load(ledger->epochs[i].value);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Has nothing of it changed since then, and did not at that time? */
bool moment_same(const struct moment *m, unsigned int epochs)
{
	unsigned int i;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (i = 0; i < NR_EPOCHS; i++) {
		if ((epochs & BIT(i)) &&
		    (m->seq[i] % 2 || load(ledger->epochs[i].seq) != m->seq[i]))
			return false;
	}
	return true;
}

bool moment_good(const struct moment *m, unsigned int epochs)
{
	unsigned int i;

	for (i = 0; i < NR_EPOCHS; i++) {
		if ((epochs & BIT(i)) && !m->value[i])
			return false;
	}
	return moment_same(m, epochs);
}

/* Loads of the module */

/* All 0 if it is not loaded */
void figures_take(long *figures)
{
	static const char * const names[] = {
		[MARKED_PROCESSES] = "marked_processes",
		[MARKED_THREADS] = "marked_threads",
		[MARK_FAILED] = "mark_failed",
		[ADOPT_PAUSED] = "adopt_paused",
	};
	FILE *f = fopen(KW_DEBUGFS "stats", "r");
	unsigned int i;
	char key[64];
	long val;

	memset(figures, 0, NR_FIGURES * sizeof(*figures));
	while (f && fscanf(f, "%63s %ld", key, &val) == 2) {
		for (i = 0; i < NR_FIGURES; i++) {
			if (!strcmp(key, names[i]))
				figures[i] = val;
		}
	}
	if (f)
		fclose(f);
}

/*
 * A load is over, with all that it counted. Who was promised something by it was
 * created before it began to go, and is in its figures, which were taken after that.
 */
void load_over(const long *figures)
{
	unsigned int i;

	for (i = 0; i < NR_FIGURES; i++) {
		ledger->loads[ledger->load % LOADS].figures[i] += figures[i];
		ledger->all.figures[i] += figures[i];
	}
}

/* It has the same numbers as the ledger, when all is settled. */
void load_check(unsigned int nr)
{
	struct load *l = &ledger->loads[nr % LOADS];
	const long marked[] = {
		l->figures[MARKED_PROCESSES] + l->figures[MARK_FAILED],
		l->figures[MARKED_THREADS],
	};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (marked[i] < l->sure[i] || marked[i] > l->sure[i] + l->unsure[i])
			fail(NULL, "load %u has marked %ld %s, of %ld and up to %ld more",
			     nr, marked[i], i ? "threads" : "processes", l->sure[i],
			     l->unsure[i]);
		ledger->all.sure[i] += l->sure[i];
		ledger->all.unsure[i] += l->unsure[i];
	}
	*l = (struct load){};
}

/* The next is about to begin. */
void load_next(void)
{
	if (ledger->load + 1 >= LOADS)
		load_check(ledger->load + 1 - LOADS);
	store(ledger->load, ledger->load + 1);
}

/* Failing allocations are for clone(), and for the exits of those that only die. */

static void fault(bool on)
{
	if (me.fault_fd >= 0 && pwrite(me.fault_fd, on ? "1" : "0", 1, 0) != 1)
		fail(NULL, "make-it-fail: %m");
}

/* In a new process that does more than that */
static void fault_child(void)
{
	if (me.fault_fd < 0)
		return;
	close(me.fault_fd);
	do {
		me.fault_fd = open("/proc/thread-self/make-it-fail", O_RDWR | O_CLOEXEC);
	} while (me.fault_fd < 0 && errno == ENOMEM);
	fault(false);
}

/* Actors */

/* This process is going to make tasks, on a worker's account. */
void actor_start(struct worker *w, unsigned long seed)
{
	sigset_t set;
	int sig;

	if (!me.w && ledger->faults)
		me.fault_fd = open("/proc/thread-self/make-it-fail",
				   O_RDWR | O_CLOEXEC);
	else
		fault_child();
	me.w = w;
	me.rng.state = seed;
	me.nr = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void actor_task(struct task *t)
{
	me.tasks[me.nr++] = t;
}

/* The tasks that another one has made are this process's business now. */
void actor_inherit(const struct task *t)
{
	unsigned int i;

	for (i = 0; i < t->count; i++)
		actor_task(&me.w->tasks[t->first + i]);
}

static struct task *actor_find(pid_t pid)
{
	unsigned int i;

	for (i = me.nr; i-- > 0;) {
		if (me.tasks[i]->pid == pid)
			return me.tasks[i];
	}
	return NULL;
}

/* Tasks */

struct task *task_new(enum kind kind, int status, bool gated)
{
	unsigned int slot = __atomic_fetch_add(&me.w->next, 1, __ATOMIC_RELAXED);
	struct task *t = &me.w->tasks[slot];

	if (slot >= SLOTS) {
		fail(NULL, "no slot left");
		_exit(1);
	}
	*t = (struct task){
		.serial = add(ledger->serial, 1),
		.kind = kind,
		.else_kind = ORDINARY,
		.sig = SIGCHLD,
		.status = status,
		.pidfd = -1,
		.gated = gated,
	};
	actor_task(t);
	return t;
}

static enum promise promise(const struct task *t)
{
	if (t->kind == THREAD || t->kind == DETACHED_THREAD || t->kind == IGNORED ||
	    (t->kind == AUTOREAP && kw_native()))
		return TO_VANISH;
	if (t->kind == ORDINARY || t->kind == ORPHAN)
		return TO_COLLECT;
	if (moment_good(&t->born, MODULE))
		return TO_VANISH;
	if (moment_same(&t->born, MODULE) && !t->born.value[EPOCH_MODULE])
		return TO_COLLECT;
	return UNSURE;
}

/* Who has marked it? If the module came or went meanwhile, any of those may have. */
static void mark_account(const struct task *t)
{
	bool thread = t->kind == DETACHED_THREAD;
	/* Read in this order: nothing loads it between a moment and another like it. */
	unsigned int last = load(ledger->load), i;

	if (t->kind != DETACHED && t->kind != AUTOREAP && !thread)
		return;
	if (moment_same(&t->born, MODULE)) {
		add(ledger->loads[last % LOADS].sure[thread],
		    t->born.value[EPOCH_MODULE]);
		return;
	}
	for (i = t->born.load; i <= last; i++)
		add(ledger->loads[i % LOADS].unsure[thread], 1);
}

void task_account(const struct task *t)
{
	add(ledger->made[t->kind], 1);
	add(me.w->made, 1);
	mark_account(t);
}

static void task_made(struct task *t, pid_t pid)
{
	t->promise = promise(t);
	store(t->pid, pid);
	task_account(t);
}

bool no_memory(int err)
{
	return ledger->pressure && err == ENOMEM;
}

/* Of what creates tasks */
bool starved(int err)
{
	return no_memory(err) || (ledger->pressure && err == EAGAIN);
}

/* Return: whether to try again, since there was no memory */
bool task_starved(void)
{
	if (!starved(errno))
		return false;
	add(ledger->refused, 1);
	usleep(100);
	return true;
}

/* Return: whether to try again, since there was no memory, or no such flag */
static bool task_refused(struct task *t)
{
	if (task_starved())
		return true;
	if (errno == EINVAL && t->kind == AUTOREAP && !kw_native() &&
	    !moment_good(&t->born, MODULE)) {
		t->kind = t->else_kind;
		return true;
	}
	fail(t, "clone: %m");
	return false;
}

/*
 * fork() with flags. Return: 0 in the child, whose failing allocations are over if
 * it is to make tasks itself: that is what actor_start() does
 */
pid_t task_spawn(struct task *t, unsigned long flags)
{
	struct clone_args args;
	pid_t pid;

	do {
		args = (struct clone_args){
			.flags = flags | CLONE_AUTOREAP |
				 (t->wants_pidfd ? CLONE_PIDFD : 0),
			.pidfd = (uintptr_t)&t->pidfd,
		};
		moment_take(&t->born);
		fault(true);
		if (t->kind == AUTOREAP)
			pid = kw_clone3(&args);
		else
			pid = kw_fork(flags | t->sig |
				      (t->kind == DETACHED ? CLONE_DETACHED : 0));
		if (!pid) {
			add(t->ran, 1);
			return 0;
		}
		fault(false);
	} while (pid < 0 && task_refused(t));
	if (pid < 0)
		_exit(1);
	task_made(t, pid);
	return pid;
}

/* The same of one that shares memory, thread or process */
pid_t task_clone(struct task *t, int (*fn)(void *), void *stack, unsigned long flags)
{
	bool thread = t->kind == THREAD || t->kind == DETACHED_THREAD;
	pid_t pid;

	if (t->kind == DETACHED || t->kind == DETACHED_THREAD)
		flags |= CLONE_DETACHED;
	do {
		moment_take(&t->born);
		fault(true);
		t->tid = -1;
		if (thread)
			pid = kw_clone_thread(flags, fn, stack, t, &t->tid);
		else
			pid = clone(fn, (char *)stack + KW_STACK,
				    CLONE_VM | flags | t->sig, t);
		fault(false);
	} while (pid < 0 && task_refused(t));
	if (pid < 0)
		_exit(1);
	task_made(t, pid);
	return pid;
}

static void futex_set(unsigned int *word, unsigned int val)
{
	store(*word, val);
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void futex_wait(unsigned int *word, unsigned int val)
{
	unsigned int old;

	while ((old = load(*word)) < val)
		syscall(SYS_futex, word, FUTEX_WAIT, old, NULL, NULL, 0);
}

void task_go(struct task *t)
{
	futex_set(&t->go, 1);
}

void task_wait_go(struct task *t)
{
	futex_wait(&t->go, 1);
}

void task_stage(struct task *t, unsigned int stage)
{
	futex_set(&t->stage, stage);
}

void task_wait_stage(struct task *t, unsigned int stage)
{
	futex_wait(&t->stage, stage);
}

/* As it is to end. Safe in what shares its parent's memory */
void task_die(struct task *t)
{
	add(t->ended, 1);
	if (WIFSIGNALED(t->status))
		syscall(SYS_kill, syscall(SYS_getpid), WTERMSIG(t->status));
	for (;;)
		syscall(SYS_exit_group, WEXITSTATUS(t->status));
}

static bool fate_set(struct task *t, enum fate fate)
{
	enum fate old = PENDING;

	if (!__atomic_compare_exchange_n(&t->fate, &old, fate, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	add(ledger->ended[t->kind][fate], 1);
	/* An orphan's is known only now. */
	add(ledger->promised[t->promise], 1);
	if (!t->killed && (t->ran != 1 || t->ended != 1))
		fail(t, "did not run to its end, once");
	return true;
}

/*
 * No memory for a mark makes an ordinary child; none to note a reaper's own child
 * leaves it the orphans that it has. No more often than the module says.
 */
static bool excused(const struct task *t)
{
	bool orphan = t->kind == ORPHAN;
	long figures[NR_FIGURES], nr, failed;
	struct moment m;

	if (!ledger->pressure)
		return false;
	nr = add(ledger->excused[orphan], 1);
	do {
		moment_take(&m);
		figures_take(figures);
		failed = figures[MARK_FAILED + orphan] +
			 ledger->all.figures[MARK_FAILED + orphan];
	} while (!moment_same(&m, MODULE));
	return nr <= failed * (orphan ? MAX_ORPHANS : 1);
}

void task_collected(struct task *t, int status)
{
	if (status != t->status)
		fail(t, "collected with status %#x", status);
	if (t->promise == TO_VANISH && !t->traced && !excused(t))
		fail(t, "was to vanish, and was there to be collected");
	if (!fate_set(t, COLLECTED))
		fail(t, "ended twice");
}

/* Nobody can wait for it. */
void task_vanished(struct task *t)
{
	if (!kw_until(kw_gone(t->pid)))
		fail(t, "nobody can wait for it, but it is there (%c)",
		     kw_proc_state(t->pid));
	if (t->promise == TO_COLLECT)
		fail(t, "its status is lost");
	if (!fate_set(t, VANISHED))
		fail(t, "ended twice");
}

/* It went with its process, or its pid namespace. */
void task_buried(struct task *t)
{
	if (!t->pid || t->fate != PENDING)
		return;
	t->promise = TO_VANISH;
	fate_set(t, VANISHED);
}

/* It dies, or has died: wait for it, in one of the ways there are. */
void task_resolve(struct task *t)
{
	unsigned int how = rnd(4);
	int flags = __WALL, status;
	siginfo_t info = {};
	pid_t pid;

	if (t->fate != PENDING)
		return;
	if (how == 1 && waitid(P_PID, t->pid, &info, WEXITED | WNOWAIT | __WALL) &&
	    errno != ECHILD)
		fail(t, "waitid: %m");
	if (how == 2)
		flags |= WNOHANG;
	do {
		pid = waitpid(t->pid, &status, flags);
		if (!pid)
			usleep(200);
	} while (!pid || (pid < 0 && errno == EINTR));
	if (pid == t->pid)
		task_collected(t, status);
	else if (pid < 0 && errno == ECHILD)
		task_vanished(t);
	else
		fail(t, "waitpid returned %d: %m", pid);
}

/* All there are, in whatever order they come */
void actor_wait_any(void)
{
	struct task *t;
	unsigned int i;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		t = actor_find(pid);
		if (t)
			task_collected(t, status);
		else
			fail(NULL, "a child of nobody, %d", pid);
	}
	if (errno != ECHILD)
		fail(NULL, "waitpid(-1): %m");
	for (i = 0; i < me.nr; i++) {
		if (me.tasks[i]->fate == PENDING)
			task_vanished(me.tasks[i]);
	}
}

/* A signal that came for this process: is it the death of one that may send it? */
static void signal_account(int sig, const siginfo_t *info)
{
	struct task *t = actor_find(info->si_pid);
	bool stop = info->si_code == CLD_TRAPPED || info->si_code == CLD_STOPPED ||
		    info->si_code == CLD_CONTINUED;
	int status;

	if (!t) {
		/* So it looks when there was no memory for more than the number. */
		if (info->si_pid || info->si_code != SI_USER || !ledger->pressure)
			fail(NULL, "signal %d of %d, who is nobody here", sig,
			     info->si_pid);
		return;
	}
	if (stop) {
		if (!t->traced)
			fail(t, "code %d of one that is not traced", info->si_code);
		return;
	}
	status = info->si_code == CLD_EXITED ? W_EXITCODE(info->si_status, 0) :
					       info->si_status;
	if (t->fate == VANISHED && (t->kind != ORPHAN || t->promise == TO_VANISH))
		fail(t, "sent signal %d and vanished", sig);
	else if (++t->signals > 1)
		fail(t, "sent signal %d twice", sig);
	else if (sig != t->sig || status != t->status)
		fail(t, "sent signal %d with status %#x", sig, status);
}

/*
 * At the end of an action, when all have ended: each signal is one's death, and
 * those that were to send one did. SIGCHLD is pending at most once, so one of them
 * does for all, if nothing else was pending when it came.
 */
void actor_signals(void)
{
	const struct timespec at_once = {};
	bool want = false, traced = false, came = false;
	siginfo_t info;
	struct task *t;
	sigset_t set;
	unsigned int i;
	int sig;

	sigprocmask(SIG_BLOCK, NULL, &set);
	while ((sig = sigtimedwait(&set, &info, &at_once)) > 0) {
		came |= sig == SIGCHLD;
		signal_account(sig, &info);
		add(ledger->sigchld, 1);
	}
	for (i = 0; i < me.nr; i++) {
		t = me.tasks[i];
		traced |= t->traced;
		if (t->fate == PENDING)
			fail(t, "has not ended with its action");
		if (t->fate != COLLECTED || t->promise != TO_COLLECT || t->to_main)
			continue;
		if (t->sig == SIGCHLD)
			want = true;
		else if (t->signals != 1 && !ledger->faults)
			fail(t, "sent signal %d %u times", t->sig, t->signals);
	}
	if (want && !came && !traced)
		fail(NULL, "there were ordinary children, and no SIGCHLD");
	me.nr = 0;
}

/* For the first process: is this an orphan that it was to be given? */
bool ledger_orphan(pid_t pid, int status)
{
	struct worker *w;
	struct task *t;

	for (w = ledger->workers; w < ledger->workers + ledger->nr_workers; w++) {
		for (t = w->tasks; t < w->tasks + SLOTS; t++) {
			if (load(t->pid) != pid || !t->to_main ||
			    load(t->fate) != PENDING)
				continue;
			task_collected(t, status);
			return true;
		}
	}
	return false;
}
