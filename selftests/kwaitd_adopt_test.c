// SPDX-License-Identifier: GPL-2.0
/*
 * Adoption: the orphans of an adopted reaper are released without it. Its own children
 * stay its own, however they were created, and other reapers keep their orphans.
 *
 * If this fails, containers fill up with zombies although their init is adopted. Or,
 * worse, an init waits forever for a child of its own, or gets ECHILD.
 */
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/ctl.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/reaper.h"
#include "lib/reaper_children.h"
#include "lib/reaper_fixture.h"
#include "lib/tasks.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define ORPHANS 50

FIXTURE_VARIANT(reaper) {
	bool adopted;
};

/* The control: what must be different with adoption, and what must not be */
FIXTURE_VARIANT_ADD(reaper, stock) { .adopted = false };
FIXTURE_VARIANT_ADD(reaper, adopted) { .adopted = true };

/* Of n orphans so far: as many zombies as ever, or all released without it */
static bool zombies(struct kw_reaper *r, bool adopted, int n)
{
	return adopted ? kw_took_orphans(r->pid, n) :
			 kw_until(kw_zombies_of(r->pid) == n);
}

TEST_F(reaper, orphans)
{
	struct kwaitd_reaper info;
	enum kw_death death;
	int n = 0;

	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(self->r.pid));
	for (death = KW_AFTER_PARENT; death <= KW_BY_SIGNAL; death++) {
		ASSERT_EQ(ORPHANS, kw_tell2(&self->r, KW_ORPHANS, ORPHANS, death).ret);
		n += ORPHANS;
		EXPECT_TRUE(zombies(&self->r, variant->adopted, n));
	}
	EXPECT_EQ(variant->adopted, kw_listed(self->r.pid, &info));
	if (!variant->adopted)
		return;
	EXPECT_EQ(0U, info.own);
	EXPECT_EQ((__u32)KWAITD_REAPER_INIT, info.flags);
	/* It has nobody to wait for. */
	EXPECT_EQ(-1, kw_tell(&self->r, KW_WAIT, -1));
}

/* No signal tells an adopted reaper of an orphan. */
TEST_F(reaper, signals)
{
	/* Its number in there: 1 is init, and 2 was its parent. */
	const pid_t orphan = 3;

	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_EQ(1, kw_tell(&self->r, KW_LIVING, 1));
	/* the parent's */
	EXPECT_EQ(1, kw_tell(&self->r, KW_SIGCHLD, 0));
	ASSERT_EQ(0, kw_tell2(&self->r, KW_KILL, orphan, SIGUSR1).ret);
	EXPECT_TRUE(zombies(&self->r, variant->adopted, 1));
	EXPECT_EQ(!variant->adopted, kw_tell(&self->r, KW_SIGCHLD, 0));
}

TEST_F(reaper, own_children_before)
{
	long pid[KW_BY_SIBLING + 1];
	enum kw_how how;

	for (how = KW_BY_FORK; how <= KW_BY_SIBLING; how++) {
		pid[how] = kw_tell(&self->r, KW_CHILD, how);
		ASSERT_GT(pid[how], 0);
	}
	kw_tell(&self->r, KW_SIGCHLD, 0);
	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(self->r.pid));
	for (how = KW_BY_FORK; how <= KW_BY_SIBLING; how++)
		EXPECT_TRUE(kw_child_ends(&self->r, pid[how]));
}

TEST_F(reaper, own_children_after)
{
	struct kwaitd_reaper info;
	enum kw_how how;
	long pid;

	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(self->r.pid));
	for (how = KW_BY_FORK; how <= KW_BY_SIBLING; how++) {
		pid = kw_tell(&self->r, KW_CHILD, how);
		ASSERT_GT(pid, 0);
		kw_tell(&self->r, KW_SIGCHLD, 0);
		if (variant->adopted) {
			EXPECT_TRUE(kw_listed(self->r.pid, &info));
			EXPECT_EQ(1U, info.own);
		}
		EXPECT_TRUE(kw_child_ends(&self->r, pid));
	}
}

/* It has died, and its parent has not been told when it is adopted. */
TEST_F(reaper, own_child_traced)
{
	long own = kw_tell(&self->r, KW_CHILD, KW_BY_FORK);
	pid_t pid = kw_child_of(self->r.pid);
	struct kw_answer a;
	siginfo_t info;
	int status;

	ASSERT_GT(pid, 0);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	ASSERT_EQ(0, kw_tell2(&self->r, KW_KILL, own, SIGKILL).ret);
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT | __WALL));
	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
	a = kw_tell2(&self->r, KW_WAIT, own, 0);
	EXPECT_EQ(own, a.ret);
	EXPECT_EQ(SIGKILL, a.status);
}

/* An orphan's CLONE_PARENT sibling is no more the reaper's than it is itself. */
static long orphan_with_sibling(void)
{
	pid_t pid = fork();

	if (pid)
		return waitpid(pid, NULL, 0);
	if (!fork()) {
		if (!kw_until(getppid() == 1))
			_exit(1);
		kw_fork(CLONE_PARENT | SIGCHLD);
	}
	_exit(0);
}

TEST_F(reaper, sibling_of_orphan)
{
	struct kw_reaper r = {};
	int go[2];
	char c;

	ASSERT_EQ(0, pipe(go));
	r.pid = kw_fork(CLONE_NEWPID | SIGCHLD);
	if (!r.pid) {
		close(go[1]);
		if (read(go[0], &c, 1) == 1)
			orphan_with_sibling();
		pause();
	}
	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(r.pid));
	ASSERT_EQ(1, write(go[1], "", 1));
	EXPECT_TRUE(zombies(&r, variant->adopted, 2));
	kill(r.pid, SIGKILL);
	waitpid(r.pid, NULL, 0);
}

/* A reaper that becomes another program, or the same again */
static void reaper_execs(struct __test_metadata *_metadata, struct kw_reaper *r,
			 bool adopted, bool in_thread)
{
	long before, after;

	before = kw_tell(r, KW_CHILD, KW_BY_FORK);
	if (adopted)
		ASSERT_EQ(0, kw_adopt(r->pid));
	after = kw_tell(r, KW_CHILD, KW_BY_FORK);
	ASSERT_EQ(0, kw_tell(r, KW_EXEC, in_thread));
	kw_tell(r, KW_SIGCHLD, 0);
	EXPECT_TRUE(kw_child_ends(r, before));
	EXPECT_TRUE(kw_child_ends(r, after));
	EXPECT_TRUE(kw_child_ends(r, kw_tell(r, KW_CHILD, KW_BY_FORK)));
	ASSERT_EQ(ORPHANS, kw_tell(r, KW_ORPHANS, ORPHANS));
	EXPECT_TRUE(zombies(r, adopted, ORPHANS));
}

TEST_F(reaper, reaper_execs)
{
	reaper_execs(_metadata, &self->r, variant->adopted, false);
}

/* The first thread is another's task then. */
TEST_F(reaper, reaper_execs_in_thread)
{
	reaper_execs(_metadata, &self->r, variant->adopted, true);
}

/*
 * A reaper in wait4() when its last child dies, which is an orphan, hears that it
 * has none; and one that has an own child goes on to wait for it.
 */
TEST_F(reaper, waits_meanwhile)
{
	struct kw_answer a;
	pid_t orphan;
	long own;

	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_EQ(1, kw_tell(&self->r, KW_LIVING, 1));
	orphan = kw_child_of(self->r.pid);
	ASSERT_GT(orphan, 0);
	ASSERT_TRUE(kw_send(&self->r, KW_WAIT, -1, 0));
	ASSERT_TRUE(kw_until(kw_is_in(self->r.pid, SYS_wait4)));
	ASSERT_EQ(0, kill(orphan, SIGUSR1));
	a = kw_answer(&self->r);
	EXPECT_EQ(variant->adopted, a.ret == -1 && a.err == ECHILD);
	EXPECT_EQ(!variant->adopted, a.ret > 0 && a.status == KW_EXITED);
	if (!variant->adopted)
		return;

	/* Its children are looked for below. */
	ASSERT_TRUE(kw_until(kw_gone(orphan)));
	ASSERT_EQ(1, kw_tell(&self->r, KW_LIVING, 1));
	orphan = kw_child_of(self->r.pid);
	own = kw_tell(&self->r, KW_CHILD, KW_BY_FORK);
	ASSERT_TRUE(kw_send(&self->r, KW_WAIT, -1, 0));
	ASSERT_TRUE(kw_until(kw_is_in(self->r.pid, SYS_wait4)));
	ASSERT_EQ(0, kill(orphan, SIGUSR1));
	ASSERT_TRUE(kw_until(kw_gone(orphan)));
	ASSERT_TRUE(kw_until(kw_is_in(self->r.pid, SYS_wait4)));
	ASSERT_EQ(0, kill(kw_child_of(self->r.pid), SIGUSR1));
	a = kw_answer(&self->r);
	EXPECT_EQ(own, a.ret);
	EXPECT_EQ(KW_EXITED, a.status);
}

/* What the init below counts */
struct count {
	int stop;	/* the test's */
	int ended;	/* own children that it got the status of */
	int lost;	/* and those it did not */
};

/* Own children one after the other, each of which leaves an orphan */
static void *fork_and_wait(void *arg)
{
	struct count *count = arg;
	int status;
	pid_t pid;

	while (!__atomic_load_n(&count->stop, __ATOMIC_RELAXED)) {
		pid = fork();
		if (!pid) {
			if (!fork())
				_exit(0);
			_exit(KW_CODE);
		}
		if (waitpid(pid, &status, 0) == pid && status == KW_EXITED)
			__atomic_fetch_add(&count->ended, 1, __ATOMIC_RELAXED);
		else
			__atomic_fetch_add(&count->lost, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Adopted and released while its threads have children: none of these is lost. */
TEST_F(reaper, adopted_while_forking)
{
	struct count *count = kw_shared(sizeof(*count));
	pthread_t thread;
	int i, ended = 0;
	pid_t pid;

	ASSERT_NE(NULL, count);
	pid = kw_fork(CLONE_NEWPID | SIGCHLD);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (pthread_create(&thread, NULL, fork_and_wait, count))
			_exit(1);
		fork_and_wait(count);
		pthread_join(thread, NULL);
		_exit(KW_CODE);
	}
	ASSERT_GT(pid, 0);
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(kw_until(count->ended > ended));
		ended = count->ended;
		if (variant->adopted)
			EXPECT_EQ(0, kw_adopt(pid));
		ASSERT_TRUE(kw_until(count->ended > ended));
		ended = count->ended;
		if (variant->adopted)
			EXPECT_EQ(0, kw_release(pid));
	}
	count->stop = 1;
	ASSERT_EQ(pid, waitpid(pid, &i, 0));
	EXPECT_EQ(KW_EXITED, i);
	EXPECT_EQ(0, count->lost);
}

/* Process ids in the namespace below */
#define SIBLING 2	/* the first of them */
#define OTHERS 200	/* who make it take long to look through its children */
#define CREATOR 4000	/* of the siblings; where nobody looks, the first of the others */

struct siblings {
	int creator;	/* process id */
	int others;	/* how far their creation is */
	int ready, adopted, done;
	int born, collected;
};

static pid_t child_with_pid(pid_t pid, __u64 flags)
{
	struct clone_args args = {
		.flags = flags,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};

	return kw_clone3(&args);
}

/* Siblings one after the other, until their parent is adopted */
static void have_siblings(struct siblings *s)
{
	pid_t pid = 1;

	while (!__atomic_load_n(&s->adopted, __ATOMIC_ACQUIRE) &&
	       SIBLING + s->born < OTHERS && pid > 0) {
		pid = child_with_pid(SIBLING + s->born, CLONE_PARENT);
		if (!pid)
			kw_linger();
		s->born += pid > 0;
		__atomic_store_n(&s->ready, 1, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&s->done, 1, __ATOMIC_RELEASE);
	pause();
}

/* The init: all its children are its own, and it waits for the siblings. */
static void wait_for_siblings(struct siblings *s)
{
	int status, pid, child;

	for (pid = OTHERS; pid <= s->creator; pid++) {
		child = child_with_pid(pid, 0);
		if (child < 0)
			_exit(1);
		__atomic_store_n(&s->others, pid, __ATOMIC_RELAXED);
		if (child)
			continue;
		if (pid == s->creator)
			have_siblings(s);
		pause();
	}
	while (!__atomic_load_n(&s->done, __ATOMIC_ACQUIRE))
		usleep(1000);
	for (pid = SIBLING; pid < SIBLING + s->born; pid++) {
		kill(pid, SIGUSR1);
		if (waitpid(pid, &status, 0) == pid && status == KW_EXITED)
			s->collected++;
	}
	_exit(KW_CODE);
}

/*
 * While its children are looked through, one of them that has not been found yet has
 * siblings by CLONE_PARENT, where the look has been already.
 */
TEST_F(reaper, adopted_while_siblings)
{
	struct siblings *s = kw_shared(sizeof(*s));
	int status, others;
	sigset_t set;
	pid_t pid;

	ASSERT_NE(NULL, s);
	s->creator = variant->adopted ? CREATOR : OTHERS;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = kw_fork(CLONE_NEWPID | SIGCHLD);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		wait_for_siblings(s);
	}
	ASSERT_GT(pid, 0);
	while (!__atomic_load_n(&s->ready, __ATOMIC_ACQUIRE)) {
		others = __atomic_load_n(&s->others, __ATOMIC_RELAXED);
		ASSERT_TRUE(kw_until(__atomic_load_n(&s->ready, __ATOMIC_ACQUIRE) ||
				     __atomic_load_n(&s->others,
						     __ATOMIC_RELAXED) != others));
	}
	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(pid));
	__atomic_store_n(&s->adopted, 1, __ATOMIC_RELEASE);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(KW_EXITED, status);
	EXPECT_LT(0, s->born);
	EXPECT_EQ(s->born, s->collected);
	TH_LOG("%d siblings", s->born);
}

/* A subreaper below an adopted reaper keeps its orphans, till it dies. */
TEST_F(reaper, subreaper)
{
	struct kwaitd_reaper info;

	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_GT(kw_tell(&self->r, KW_SPAWN, 0), 0);
	ASSERT_EQ(0, kw_tell(&self->inner, KW_SUBREAPER, 1));
	ASSERT_EQ(1, kw_named("kw-inner", &self->inner.pid));
	ASSERT_EQ(ORPHANS, kw_tell(&self->inner, KW_ORPHANS, ORPHANS));
	EXPECT_TRUE(kw_until(kw_zombies_of(self->inner.pid) == ORPHANS));
	if (variant->adopted) {
		ASSERT_EQ(0, kw_adopt(self->inner.pid));
		ASSERT_EQ(ORPHANS, kw_tell(&self->inner, KW_ORPHANS, ORPHANS));
		EXPECT_TRUE(kw_until(kw_listed(self->inner.pid, &info) &&
				     info.orphans == ORPHANS));
		/* Those of before are left. */
		EXPECT_TRUE(kw_until(kw_zombies_of(self->inner.pid) == ORPHANS));
	}
	/* They go to the outer one, that is to whoever takes its orphans. */
	ASSERT_EQ(-1, kw_tell(&self->inner, KW_EXIT, 0));
	EXPECT_TRUE(kw_until(kw_zombies_of(self->r.pid) ==
			     (variant->adopted ? 1 : ORPHANS + 1)));
	EXPECT_GT(kw_tell(&self->r, KW_WAIT, -1), 0);
}

/* Nor has the init of a namespace in the namespace to do with it. */
TEST_F(reaper, nested)
{
	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_GT(kw_tell(&self->r, KW_SPAWN, CLONE_NEWPID), 0);
	ASSERT_EQ(0, kw_tell(&self->inner, KW_SIGCHLD, 0));
	ASSERT_EQ(1, kw_named("kw-inner", &self->inner.pid));
	ASSERT_EQ(ORPHANS, kw_tell(&self->inner, KW_ORPHANS, ORPHANS));
	EXPECT_TRUE(kw_until(kw_zombies_of(self->inner.pid) == ORPHANS));
	ASSERT_EQ(ORPHANS, kw_tell(&self->r, KW_ORPHANS, ORPHANS));
	EXPECT_TRUE(zombies(&self->r, variant->adopted, ORPHANS));
	EXPECT_EQ(ORPHANS, kw_zombies_of(self->inner.pid));
	/* It is an own child. */
	ASSERT_EQ(-1, kw_tell(&self->inner, KW_EXIT, 0));
	EXPECT_GT(kw_tell(&self->r, KW_WAIT, -1), 0);
}

/* With the reaper its namespace goes down, and nothing stays behind. */
TEST_F(reaper, reaper_dies)
{
	struct kwaitd_reaper info;
	struct kw_reaper r;
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(kw_reaper_start(&r, CLONE_NEWPID, NULL));
		if (variant->adopted)
			ASSERT_EQ(0, kw_adopt(r.pid));
		ASSERT_EQ(ORPHANS, kw_tell(&r, KW_LIVING, ORPHANS));
		ASSERT_GT(kw_tell(&r, KW_CHILD, KW_BY_FORK), 0);
		EXPECT_EQ(KW_EXITED, kw_reaper_stop(&r));
		EXPECT_FALSE(kw_listed(r.pid, &info));
	}
}

/*
 * Who joins the namespace has its parent outside and ends as ever; but its orphans
 * are the init's.
 */
TEST_F(reaper, joiner)
{
	char path[32];
	int ns, status;
	pid_t pid;

	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(self->r.pid));
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", self->r.pid);
	ns = open(path, O_RDONLY);
	ASSERT_GE(ns, 0);
	pid = kw_helper();
	if (!pid) {
		if (setns(ns, CLONE_NEWPID))
			_exit(1);
		pid = fork();
		if (!pid)
			_exit(kw_orphans(ORPHANS, KW_AFTER_PARENT, false) == ORPHANS ?
			      KW_CODE : 1);
		_exit(waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(KW_EXITED, status);
	EXPECT_TRUE(zombies(&self->r, variant->adopted, ORPHANS));
	close(ns);
}

/* A detached child of an adopted reaper is detached, and nothing else. */
TEST_F(reaper, detached_child)
{
	struct kw_reaper r = {};
	int ready[2];
	char c;

	ASSERT_EQ(0, pipe(ready));
	r.pid = kw_fork(CLONE_NEWPID | SIGCHLD);
	if (!r.pid) {
		if (read(ready[0], &c, 1) != 1)
			_exit(1);
		if (!kw_fork(CLONE_DETACHED | SIGCHLD))
			_exit(0);
		pause();
	}
	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(r.pid));
	c = kw_stat("marked_processes");
	ASSERT_EQ(1, write(ready[1], "", 1));
	EXPECT_TRUE(kw_until((char)kw_stat("marked_processes") == (char)(c + 1)));
	EXPECT_TRUE(kw_until(kw_zombies_of(r.pid) == 0 && kw_at_rest()));
	kill(r.pid, SIGKILL);
	waitpid(r.pid, NULL, 0);
}

TEST_HARNESS_MAIN
