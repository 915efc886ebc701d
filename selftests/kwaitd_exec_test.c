// SPDX-License-Identifier: GPL-2.0
/*
 * execve() in a detached process: by the leader, by another thread, and by the last thread
 * that is left; and in its parent before the child dies.
 *
 * If this fails, a detached child that executes a program becomes a zombie when it dies,
 * or its parent gets a signal that it does not expect.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/end.h"
#include "lib/file.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/team.h"
#include "lib/thread.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define EXITS_7 (7 << 8)	/* a wait status */

/* Become another program when told to, and end with the pipe's writer. */
static int execs(void *arg)
{
	static char *const argv[] = { "sh", "-c", "read x; exit 7", NULL };
	int *gate = arg;

	if (!kw_told(gate))
		syscall(SYS_exit_group, 7);
	syscall(SYS_dup3, gate[0], STDIN_FILENO, 0);
	syscall(SYS_execve, "/bin/sh", argv, NULL);
	syscall(SYS_exit_group, 1);
	return 0;
}

static bool is_sh(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	return !strcmp(kw_read(path), "sh");
}

static bool make_exec(pid_t pid, int *gate)
{
	return write(gate[1], "", 1) == 1 && kw_until(is_sh(pid));
}

/* Does a child of the kind that execs as the team says end as one? */
static bool exec_one(struct __test_metadata *_metadata, enum kw_kind kind,
		     const struct kw_team *team)
{
	int *gate = team->arg;
	pid_t pid;

	ASSERT_EQ(0, pipe2(gate, O_CLOEXEC));
	pid = kw_team(kind, 0, team);
	ASSERT_LE(0, pid);
	EXPECT_TRUE(kw_until(kw_proc_status(pid, "Threads") ==
			     team->threads + 1));
	if (team->leader == kw_thread_exits) {
		EXPECT_TRUE(kw_until(kw_proc_state(pid) == 'Z'));
		EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG | __WALL));
	}
	EXPECT_TRUE(make_exec(pid, gate));
	EXPECT_EQ(1, kw_proc_status(pid, "Threads"));
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG | __WALL));
	EXPECT_FALSE(kw_took_sigchld());
	close(gate[0]);
	close(gate[1]);
	return kw_expect_end(_metadata, kind, pid, EXITS_7);
}

/* The same with few and many threads, ordinary and detached ones */
static void exec_all(struct __test_metadata *_metadata, enum kw_kind kind,
		     int (*leader)(void *), int (*first)(void *))
{
	int gate[2];
	struct kw_team team = {
		.leader = leader,
		.first = first,
		.rest = kw_thread_waits,
		.arg = gate,
	};

	kw_hold_sigchld();
	while (kw_team_next(&team)) {
		if (!exec_one(_metadata, kind, &team)) {
			TH_LOG("%u threads, flags %#lx", team.threads,
			       team.flags);
			break;
		}
	}
}

TEST_F(child, leader)
{
	int gate[2];
	const struct kw_team alone = { .leader = execs, .arg = gate };

	kw_hold_sigchld();
	exec_one(_metadata, variant->kind, &alone);
}

TEST_F(child, leader_of_threads)
{
	exec_all(_metadata, variant->kind, execs, kw_thread_waits);
}

/* The leader's pid, and all that hangs on it, goes to the thread. */
TEST_F(child, thread)
{
	exec_all(_metadata, variant->kind, kw_thread_waits, execs);
}

/* ... from a leader that is dead: with one thread, that is the last of them. */
TEST_F(child, thread_without_leader)
{
	exec_all(_metadata, variant->kind, kw_thread_exits, execs);
}

/*
 * A parent, its child, and another child that asked for no signal but is not
 * detached: the proof that the parent's execve() makes every signal SIGCHLD, for
 * fear that the old program's child signals the new one.
 */
struct family {
	pid_t child, sibling;
	int parent_gate[2], child_gate[2], sibling_gate[2];
};

/* Shared memory, so only the parent may store what clone() returned. */
static void be_parent(struct family *f, enum kw_kind kind)
{
	pid_t pid;

	/* None of them is to keep another alive. */
	close(f->child_gate[1]);
	close(f->sibling_gate[1]);
	pid = kw_child(kind, 0);
	if (!pid)
		execs(f->child_gate);
	f->child = pid;
	pid = kw_fork(0);
	if (!pid)
		execs(f->sibling_gate);
	f->sibling = pid;
	execs(f->parent_gate);
}

/* order: who calls execve() before the child dies, 'p'arent and 'c'hild */
static void exec_family(struct __test_metadata *_metadata, enum kw_kind kind,
			const char *order)
{
	struct family *f = kw_shared(sizeof(*f));
	pid_t parent;

	ASSERT_NE(NULL, f);
	ASSERT_EQ(0, pipe2(f->parent_gate, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(f->child_gate, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(f->sibling_gate, O_CLOEXEC));
	/* The parent's zombies become the test's. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	kw_hold_sigchld();
	parent = kw_helper();
	if (!parent)
		be_parent(f, kind);
	ASSERT_TRUE(kw_until(f->sibling));
	ASSERT_LT(0, f->child);

	for (; *order; order++) {
		ASSERT_TRUE(*order == 'p' ?
			    make_exec(parent, f->parent_gate) :
			    make_exec(f->child, f->child_gate));
	}
	close(f->child_gate[1]);
	EXPECT_TRUE(kw_until(kw_gone(f->child) ||
			     kw_proc_pending(parent, SIGCHLD)));
	EXPECT_EQ(kind == KW_ORDINARY, kw_proc_pending(parent, SIGCHLD));
	EXPECT_EQ(kind != KW_ORDINARY, kw_gone(f->child));
	close(f->sibling_gate[1]);
	EXPECT_TRUE(kw_until(kw_proc_state(f->sibling) == 'Z'));
	EXPECT_TRUE(kw_until(kw_proc_pending(parent, SIGCHLD)));
	close(f->parent_gate[1]);
	kw_expect_end(_metadata, KW_ORDINARY, parent, EXITS_7);
	EXPECT_EQ(f->sibling, waitpid(f->sibling, NULL, __WALL));
	EXPECT_EQ(kind == KW_ORDINARY ? f->child : -1,
		  waitpid(f->child, NULL, __WALL));
}

TEST_F(child, parent)
{
	exec_family(_metadata, variant->kind, "p");
}

TEST_F(child, child_then_parent)
{
	exec_family(_metadata, variant->kind, "cp");
}

TEST_F(child, parent_then_child)
{
	exec_family(_metadata, variant->kind, "pc");
}

TEST_HARNESS_MAIN
