// SPDX-License-Identifier: GPL-2.0
/*
 * Detached children that are traced: a tracer sees the exit as ever, and lets go of the
 * dead child by waiting, by detaching, or by dying. Only then is the child released.
 *
 * If this fails, strace and debuggers miss the end of what they follow, a child vanishes
 * while it is traced, or it stays a zombie when its tracer is gone.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/end.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/thread.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

#define EVENT(event) (SIGTRAP | PTRACE_EVENT_##event << 8)
#define THREAD_CODE 3

/* What a tracer does that is not the parent, and how it lets go in the end */
struct tracer {
	bool attach;		/* PTRACE_ATTACH; else PTRACE_SEIZE */
	bool exit_stop;		/* waits for the stop of PTRACE_O_TRACEEXIT */
	enum { WAIT, DETACH, LEAVE } then;
};

static bool stops(pid_t pid, int how)
{
	int status;

	return waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) &&
	       status >> 8 == how;
}

static bool trace_start(pid_t pid, const struct tracer *t)
{
	long options = t->exit_stop ? PTRACE_O_TRACEEXIT : 0;

	if (!t->attach)
		return !ptrace(PTRACE_SEIZE, pid, 0, options);
	return !ptrace(PTRACE_ATTACH, pid, 0, 0) && stops(pid, SIGSTOP) &&
	       !ptrace(PTRACE_SETOPTIONS, pid, 0, options) &&
	       !ptrace(PTRACE_CONT, pid, 0, 0);
}

static bool trace(pid_t pid, const struct tracer *t, int ready, int go)
{
	int status;
	char c;

	if (!trace_start(pid, t) || write(ready, "", 1) != 1)
		return false;
	if (t->exit_stop &&
	    (!stops(pid, EVENT(EXIT)) ||
	     ptrace(t->then == DETACH ? PTRACE_DETACH : PTRACE_CONT, pid, 0, 0)))
		return false;
	if (read(go, &c, 1) < 0)
		return false;
	return t->then != WAIT ||
	       (waitpid(pid, &status, 0) == pid && status == KW_EXITED);
}

/*
 * Return: the tracer's pid, once it traces. It lets go when *go is closed. Its
 * own death sends no signal: those that come are the child's.
 */
static pid_t tracer_start(pid_t pid, const struct tracer *t, int *go)
{
	int ready[2], goes[2];
	pid_t tracer;
	char c;

	if (pipe(ready) || pipe(goes))
		return -1;
	tracer = kw_fork(0);
	if (!tracer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(goes[1]);
		_exit(!trace(pid, t, ready[1], goes[0]));
	}
	close(ready[1]);
	close(goes[0]);
	*go = goes[1];
	return read(ready[0], &c, 1) == 1 ? tracer : -1;
}

static bool tracer_ends(pid_t tracer)
{
	int status;

	return waitpid(tracer, &status, __WALL) == tracer && !status;
}

/* Dead, but the tracer's: nothing for the parent to hear or to collect yet */
static bool withheld(pid_t pid)
{
	return kw_until(kw_proc_state(pid) == 'Z') &&
	       waitpid(pid, NULL, WNOHANG | __WALL) == 0 &&
	       !kw_proc_pending(getpid(), SIGCHLD);
}

static bool traced_by_stranger(enum kw_kind kind, const struct tracer *t)
{
	int die, go;
	pid_t pid, tracer;

	kw_hold_sigchld();
	pid = kw_child_until(kind, 0, &die);
	if (pid < 0)
		return false;
	tracer = tracer_start(pid, t, &go);
	if (tracer < 0 || !kw_let_die(die))
		return false;
	if (t->then != DETACH && !withheld(pid))
		return false;
	close(go);
	return kw_ends_with(kind, pid, KW_EXITED) && tracer_ends(tracer);
}

TEST_F(child, seize_wait)
{
	const struct tracer t = { .then = WAIT };

	EXPECT_TRUE(traced_by_stranger(variant->kind, &t));
}

TEST_F(child, attach_wait)
{
	const struct tracer t = { .attach = true, .then = WAIT };

	EXPECT_TRUE(traced_by_stranger(variant->kind, &t));
}

TEST_F(child, seize_leave)
{
	const struct tracer t = { .then = LEAVE };

	EXPECT_TRUE(traced_by_stranger(variant->kind, &t));
}

TEST_F(child, attach_leave)
{
	const struct tracer t = { .attach = true, .then = LEAVE };

	EXPECT_TRUE(traced_by_stranger(variant->kind, &t));
}

TEST_F(child, seize_exit_stop_wait)
{
	const struct tracer t = { .exit_stop = true, .then = WAIT };

	EXPECT_TRUE(traced_by_stranger(variant->kind, &t));
}

TEST_F(child, attach_exit_stop_wait)
{
	const struct tracer t = {
		.attach = true, .exit_stop = true, .then = WAIT
	};

	EXPECT_TRUE(traced_by_stranger(variant->kind, &t));
}

TEST_F(child, exit_stop_leave)
{
	const struct tracer t = { .exit_stop = true, .then = LEAVE };

	EXPECT_TRUE(traced_by_stranger(variant->kind, &t));
}

/* Let go on the way out, it dies untraced. */
TEST_F(child, seize_exit_stop_detach)
{
	const struct tracer t = { .exit_stop = true, .then = DETACH };

	EXPECT_TRUE(traced_by_stranger(variant->kind, &t));
}

TEST_F(child, attach_exit_stop_detach)
{
	const struct tracer t = {
		.attach = true, .exit_stop = true, .then = DETACH
	};

	EXPECT_TRUE(traced_by_stranger(variant->kind, &t));
}

static bool outlives_tracer(enum kw_kind kind, const struct tracer *t)
{
	int die, go;
	pid_t pid, tracer;

	kw_hold_sigchld();
	pid = kw_child_until(kind, 0, &die);
	if (pid < 0)
		return false;
	tracer = tracer_start(pid, t, &go);
	if (tracer < 0)
		return false;
	close(go);
	return tracer_ends(tracer) && !kw_proc_status(pid, "TracerPid") &&
	       kw_let_die(die) && kw_ends_with(kind, pid, KW_EXITED);
}

TEST_F(child, outlives_seizer)
{
	const struct tracer t = { .then = LEAVE };

	EXPECT_TRUE(outlives_tracer(variant->kind, &t));
}

TEST_F(child, outlives_attacher)
{
	const struct tracer t = { .attach = true, .then = LEAVE };

	EXPECT_TRUE(outlives_tracer(variant->kind, &t));
}

/*
 * A parent that traces gets the status of every kind, and once. What is left of
 * the difference is the signal.
 */
TEST_F(child, parent_waits)
{
	siginfo_t info = {};
	int die, status;
	pid_t pid;

	kw_hold_sigchld();
	pid = kw_child_until(variant->kind, 0, &die);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	ASSERT_TRUE(kw_let_die(die));
	EXPECT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(KW_CODE, info.si_status);
	EXPECT_EQ('Z', kw_proc_state(pid));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(KW_EXITED, status);
	EXPECT_TRUE(kw_gone(pid));
	EXPECT_EQ(-1, waitpid(pid, &status, __WALL));
	EXPECT_EQ(ECHILD, errno);
	EXPECT_EQ(variant->kind == KW_ORDINARY,
		  kw_proc_pending(getpid(), SIGCHLD));
}

/* A child that wants to be traced by its parent, now in the stop of its exit */
static pid_t traceme_child(enum kw_kind kind)
{
	pid_t pid = kw_child(kind, 0);

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(KW_CODE);
	}
	if (pid < 0 || !stops(pid, SIGSTOP) ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0,
		   PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL) ||
	    ptrace(PTRACE_CONT, pid, 0, 0) || !stops(pid, EVENT(EXIT)))
		return -1;
	return pid;
}

/* No difference at all: it is the stops that send signals here. */
TEST_F(child, traceme)
{
	pid_t pid = traceme_child(variant->kind);
	int status;

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(KW_EXITED, status);
	EXPECT_EQ(-1, waitpid(pid, &status, __WALL));
	EXPECT_EQ(ECHILD, errno);
}

TEST_F(child, traceme_detach)
{
	pid_t pid = traceme_child(variant->kind);
	int status = KW_EXITED;

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	EXPECT_TRUE(kw_ends(variant->kind, pid, &status));
	EXPECT_EQ(KW_EXITED, status);
}

/* A thread of the parent that traces, and leaves the dead behind */
struct seizer {
	pid_t pid;
	int ready[2], go[2];
	long ret;
};

static int seize(void *arg)
{
	struct seizer *s = arg;
	char c;

	s->ret = syscall(SYS_ptrace, PTRACE_SEIZE, s->pid, 0, 0);
	syscall(SYS_write, s->ready[1], "", 1);
	syscall(SYS_read, s->go[0], &c, 1);
	syscall(SYS_exit, 0);
	return 0;
}

static bool traced_by_thread(enum kw_kind kind, unsigned long flags)
{
	struct seizer s = { .ret = -1 };
	pid_t tid;
	int die;
	char c;

	kw_hold_sigchld();
	if (pipe(s.ready) || pipe(s.go))
		return false;
	s.pid = kw_child_until(kind, 0, &die);
	if (s.pid < 0 ||
	    kw_clone_thread(flags, seize, kw_stacks(1), &s, &tid) < 0 ||
	    read(s.ready[0], &c, 1) != 1 || s.ret || !kw_let_die(die) ||
	    !kw_until(kw_proc_state(s.pid) == 'Z'))
		return false;
	/* It stays until the thread goes. */
	return waitid(P_PID, s.pid, NULL, WEXITED | WNOWAIT | __WALL) == 0 &&
	       kw_let_die(s.go[1]) &&
	       kw_until(kw_proc_status(s.pid, "TracerPid") <= 0) &&
	       kw_ends_with(kind, s.pid, KW_EXITED);
}

TEST_F(child, thread_leaves)
{
	EXPECT_TRUE(traced_by_thread(variant->kind, 0));
}

TEST_F(child, detached_thread_leaves)
{
	EXPECT_TRUE(traced_by_thread(variant->kind, CLONE_DETACHED));
}

/* What a tracee creates, and what becomes of that */
struct family {
	__u64 flags;			/* of the child */
	bool silent;			/* an exit signal of 0 for all kinds */
	bool thread;			/* the child has one, */
	unsigned long thread_flags;
	bool leader_first;		/* which ends last */
};

/* What a tracer saw of a family */
struct seen {
	int birth;			/* PTRACE_EVENT_* */
	int codes;			/* bit N: somebody's exit code was N */
	int sigchlds;			/* to the parent */
	int parent;			/* its status */
};

static int thread_life(void *go)
{
	char c;

	syscall(SYS_read, *(int *)go, &c, 1);
	syscall(SYS_exit, THREAD_CODE);
	return 0;
}

static void child_life(const struct family *f, int go)
{
	pid_t tid;

	if (f->thread &&
	    kw_clone_thread(f->thread_flags, thread_life, kw_stacks(1), &go,
			    &tid) < 0)
		_exit(1);
	if (f->leader_first)
		syscall(SYS_exit, 0);
	kw_until(kw_proc_status(getpid(), "Threads") == 1);
	_exit(KW_CODE);
}

static pid_t silent_child(enum kw_kind kind)
{
	return kind == KW_AUTOREAP ? kw_child(kind, 0) :
	       kw_fork(kind == KW_DETACHED ? CLONE_DETACHED : 0);
}

static bool parent_life(enum kw_kind kind, const struct family *f)
{
	/* The last thread's exit code is that of all. */
	int code = f->leader_first ? THREAD_CODE : KW_CODE;
	int go[2], status = W_EXITCODE(code, 0);
	pid_t pid;

	if (pipe(go))
		return false;
	pid = f->silent ? silent_child(kind) : kw_child(kind, f->flags);
	if (!pid)
		child_life(f, go[0]);
	if (f->leader_first && !kw_until(kw_proc_state(pid) == 'Z'))
		return false;
	return pid > 0 && kw_let_die(go[1]) && kw_ends(kind, pid, &status) &&
	       status == W_EXITCODE(code, 0);
}

/* Trace a process and all it creates to the end of the last of them. */
static void follow(pid_t parent, struct seen *seen)
{
	int status, event, sig;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status)) {
			if (pid == parent)
				seen->parent = status;
			else
				seen->codes |= 1 << WEXITSTATUS(status);
			continue;
		}
		event = status >> 16;
		sig = event ? 0 : WSTOPSIG(status);
		if (pid == parent && event && event != PTRACE_EVENT_STOP)
			seen->birth = event;
		seen->sigchlds += pid == parent && sig == SIGCHLD;
		ptrace(PTRACE_CONT, pid, 0, sig);
	}
}

static bool see(enum kw_kind kind, const struct family *f, struct seen *seen)
{
	int go[2];
	pid_t pid;
	char c;

	if (pipe(go))
		return false;
	pid = kw_helper();
	if (!pid)
		_exit(read(go[0], &c, 1) != 1 || !parent_life(kind, f));
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK |
			      PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			      PTRACE_O_EXITKILL))
		return false;
	seen->parent = -1;
	if (!kw_let_die(go[1]))
		return false;
	follow(pid, seen);
	return seen->parent == 0;
}

/* Which event it is follows from the exit signal the child was to have. */
TEST_F(child, birth)
{
	const struct family f = {};
	struct seen seen = {};

	EXPECT_TRUE(see(variant->kind, &f, &seen));
	EXPECT_EQ(variant->kind == KW_AUTOREAP ? PTRACE_EVENT_CLONE :
		  PTRACE_EVENT_FORK, seen.birth);
	EXPECT_EQ(1 << KW_CODE, seen.codes);
	EXPECT_EQ(variant->kind == KW_ORDINARY, seen.sigchlds);
}

TEST_F(child, birth_vfork)
{
	const struct family f = { .flags = CLONE_VFORK };
	struct seen seen = {};

	EXPECT_TRUE(see(variant->kind, &f, &seen));
	EXPECT_EQ(PTRACE_EVENT_VFORK, seen.birth);
	EXPECT_EQ(1 << KW_CODE, seen.codes);
	EXPECT_EQ(variant->kind == KW_ORDINARY, seen.sigchlds);
}

/* Here the ordinary one differs from the others by the zombie alone. */
TEST_F(child, birth_silent)
{
	const struct family f = { .silent = true };
	struct seen seen = {};

	EXPECT_TRUE(see(variant->kind, &f, &seen));
	EXPECT_EQ(PTRACE_EVENT_CLONE, seen.birth);
	EXPECT_EQ(1 << KW_CODE, seen.codes);
	EXPECT_EQ(0, seen.sigchlds);
}

/* A traced thread, too, waits for its tracer, and its process for it. */
static bool see_thread(enum kw_kind kind, unsigned long flags)
{
	const struct family f = { .thread = true, .thread_flags = flags };
	struct seen seen = {};

	return see(kind, &f, &seen) &&
	       seen.codes == (1 << KW_CODE | 1 << THREAD_CODE) &&
	       seen.sigchlds == (kind == KW_ORDINARY);
}

TEST_F(child, with_thread)
{
	EXPECT_TRUE(see_thread(variant->kind, 0));
}

TEST_F(child, with_detached_thread)
{
	EXPECT_TRUE(see_thread(variant->kind, CLONE_DETACHED));
}

/* A traced leader that is dead: its thread's end is the end of both. */
static bool see_leader_first(enum kw_kind kind, unsigned long flags)
{
	const struct family f = {
		.thread = true, .thread_flags = flags, .leader_first = true
	};
	struct seen seen = {};

	return see(kind, &f, &seen) && seen.codes == 1 << THREAD_CODE &&
	       seen.sigchlds == (kind == KW_ORDINARY);
}

TEST_F(child, leader_first)
{
	EXPECT_TRUE(see_leader_first(variant->kind, 0));
}

TEST_F(child, leader_first_detached_thread)
{
	EXPECT_TRUE(see_leader_first(variant->kind, CLONE_DETACHED));
}

/* The next SIGCHLD's si_code; 0: none came, or another child's */
static int next_sigchld(pid_t pid)
{
	const struct timespec deadline = { .tv_sec = KW_DEADLINE };
	siginfo_t info;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	return sigtimedwait(&chld, &info, &deadline) == SIGCHLD &&
	       info.si_pid == pid ? info.si_code : 0;
}

/* The living stop and continue as ever, for those who want to know. */
TEST_F(child, stop_and_continue)
{
	int die, status;
	pid_t pid;

	kw_hold_sigchld();
	pid = kw_child_until(variant->kind, 0, &die);
	ASSERT_LT(0, pid);
	kill(pid, SIGSTOP);
	EXPECT_EQ(CLD_STOPPED, next_sigchld(pid));
	EXPECT_EQ(pid, waitpid(pid, &status, WUNTRACED | __WALL));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGSTOP, WSTOPSIG(status));
	kill(pid, SIGCONT);
	EXPECT_EQ(CLD_CONTINUED, next_sigchld(pid));
	EXPECT_EQ(pid, waitpid(pid, &status, WCONTINUED | __WALL));
	EXPECT_TRUE(WIFCONTINUED(status));
	ASSERT_TRUE(kw_let_die(die));
	EXPECT_TRUE(kw_ends_with(variant->kind, pid, KW_EXITED));
}

TEST_HARNESS_MAIN
