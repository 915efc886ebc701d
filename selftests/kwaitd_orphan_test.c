// SPDX-License-Identifier: GPL-2.0
/*
 * Who is told when a process dies whose parent is gone: a subreaper, the init of a pid
 * namespace, or the machine's init; nobody, if the process was created detached. And what
 * becomes of the children of a detached process that dies.
 *
 * If this fails, zombies pile up below an init that is not told of them, or the ordinary
 * children of a detached process are lost with it.
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
#include <sys/syscall.h>

#define EXITS_7 (7 << 8)	/* a wait status */
#define FAULTS 2000

enum order {
	LIVE,
	TOUCH,	/* memory, FAULTS times */
	REAP,	/* whoever is dead */
	DIE,
};

/* A process, in memory that all of them share. Each is the next one's parent. */
struct actor {
	enum kw_kind kind;
	__u64 flags;
	bool subreaper;
	pid_t pid;		/* as the test sees it; -1: not to be had */
	enum order order;	/* LIVE again when it is done */
	int reaped;
};

static void touch(void)
{
	size_t size = getpagesize();
	char *p = kw_stacks(1);
	int i;

	for (i = 0; p && i < FAULTS; i++) {
		*(volatile char *)p = 1;
		madvise(p, size, MADV_DONTNEED);
	}
}

static void obey(struct actor *me)
{
	while (kw_until(me->order != LIVE)) {
		if (me->order == DIE)
			_exit(7);
		if (me->order == TOUCH)
			touch();
		else
			kw_took_sigchld();
		while (me->order == REAP &&
		       waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			me->reaped++;
		me->order = LIVE;
	}
	/* The test has failed and gone. */
	_exit(1);
}

/* The n actors from me on come to life. Returns in the caller only. */
static void enter(struct actor *me, int n)
{
	char pid[16] = "";

	switch (kw_child(me->kind, me->flags)) {
	case -1:
		me->pid = -1;
		return;
	case 0:
		break;
	default:
		return;
	}
	if (me->subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (n > 1)
		enter(me + 1, n - 1);
	/* getpid() may be that of another namespace. */
	if (readlink("/proc/self", pid, sizeof(pid) - 1) < 0)
		_exit(1);
	me->pid = atoi(pid);
	obey(me);
}

static struct actor *play(struct __test_metadata *_metadata,
			  const struct actor *script, int n)
{
	struct actor *cast = kw_shared(n * sizeof(*cast));
	int i;

	ASSERT_NE(NULL, cast);
	memcpy(cast, script, n * sizeof(*cast));
	kw_hold_sigchld();
	enter(cast, n);
	for (i = 0; i < n; i++) {
		ASSERT_TRUE(kw_until(cast[i].pid));
		ASSERT_LT(0, cast[i].pid);
	}
	return cast;
}

static bool done(struct actor *who, enum order order)
{
	who->order = order;
	return kw_until(who->order == LIVE);
}

static pid_t parent_of(const struct actor *who)
{
	return kw_proc_status(who->pid, "PPid");
}

/* The end of a child of the test's */
static void dies(struct __test_metadata *_metadata, struct actor *who)
{
	who->order = DIE;
	kw_expect_end(_metadata, who->kind, who->pid, EXITS_7);
}

/* The end of an actor's child that the actor does not wait for */
static void dies_under(struct __test_metadata *_metadata, struct actor *who,
		       const struct actor *parent)
{
	bool ordinary = who->kind == KW_ORDINARY;

	who->order = DIE;
	EXPECT_TRUE(kw_until(ordinary ? kw_proc_state(who->pid) == 'Z' :
					kw_gone(who->pid)));
	/* Sent a moment after the zombie shows, and before the other is gone */
	EXPECT_TRUE(!ordinary || kw_until(kw_proc_pending(parent->pid, SIGCHLD)));
	EXPECT_EQ(ordinary, kw_proc_pending(parent->pid, SIGCHLD));
}

/* Of a parent and a child, both of a kind, the parent dies before. */
static void parent_first(struct __test_metadata *_metadata, enum kw_kind parent,
			 enum kw_kind child)
{
	const struct actor script[] = { { .kind = parent }, { .kind = child } };
	struct actor *cast;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	cast = play(_metadata, script, 2);
	dies(_metadata, &cast[0]);
	EXPECT_EQ(getpid(), parent_of(&cast[1]));
	EXPECT_EQ(0, waitpid(cast[1].pid, NULL, WNOHANG | __WALL));
	dies(_metadata, &cast[1]);
}

/* ... after: the zombie that an ordinary child is by now changes hands. */
static void parent_after(struct __test_metadata *_metadata, enum kw_kind parent,
			 enum kw_kind child)
{
	const struct actor script[] = { { .kind = parent }, { .kind = child } };
	struct actor *cast;
	int status = EXITS_7;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	cast = play(_metadata, script, 2);
	dies_under(_metadata, &cast[1], &cast[0]);
	cast[0].order = DIE;
	EXPECT_TRUE(kw_ends(parent, cast[0].pid, NULL));
	/* Of the parent's death, of the zombie's arrival, or of both */
	EXPECT_EQ(parent == KW_ORDINARY || child == KW_ORDINARY,
		  kw_took_sigchld());
	EXPECT_TRUE(kw_ends(child, cast[1].pid, &status));
	EXPECT_EQ(EXITS_7, status);
}

TEST_F(child, parent_first)
{
	parent_first(_metadata, KW_ORDINARY, variant->kind);
}

TEST_F(child, parent_after)
{
	parent_after(_metadata, KW_ORDINARY, variant->kind);
}

/* Its own children are ordinary ones, also when it is gone ... */
TEST_F(child, children_outlive)
{
	parent_first(_metadata, variant->kind, KW_ORDINARY);
}

/* ... and when they were zombies before. */
TEST_F(child, zombies_outlive)
{
	parent_after(_metadata, variant->kind, KW_ORDINARY);
}

TEST_F(child, grandchild_outlives)
{
	parent_first(_metadata, variant->kind, variant->kind);
}

TEST_F(child, grandchild_first)
{
	parent_after(_metadata, variant->kind, variant->kind);
}

/* From one subreaper to the next */
TEST_F(child, subreapers)
{
	const struct actor script[] = {
		{ .kind = KW_ORDINARY, .subreaper = true },
		{ .kind = KW_ORDINARY },
		{ .kind = variant->kind },
	};
	struct actor *cast;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	cast = play(_metadata, script, 3);
	dies_under(_metadata, &cast[1], &cast[0]);
	EXPECT_TRUE(done(&cast[0], REAP));
	EXPECT_EQ(1, cast[0].reaped);
	EXPECT_EQ(cast[0].pid, parent_of(&cast[2]));
	dies(_metadata, &cast[0]);
	EXPECT_EQ(getpid(), parent_of(&cast[2]));
	dies(_metadata, &cast[2]);
}

TEST_F(child, namespace_init)
{
	const struct actor script[] = {
		{ .kind = KW_ORDINARY, .flags = CLONE_NEWPID },
		{ .kind = KW_ORDINARY },
		{ .kind = variant->kind },
	};
	struct actor *cast = play(_metadata, script, 3);

	dies_under(_metadata, &cast[1], &cast[0]);
	EXPECT_TRUE(done(&cast[0], REAP));
	EXPECT_EQ(1, cast[0].reaped);
	EXPECT_EQ(cast[0].pid, parent_of(&cast[2]));
	dies_under(_metadata, &cast[2], &cast[0]);
	EXPECT_TRUE(done(&cast[0], REAP));
	EXPECT_EQ(variant->kind == KW_ORDINARY ? 2 : 1, cast[0].reaped);
	EXPECT_TRUE(kw_gone(cast[2].pid));
	dies(_metadata, &cast[0]);
}

/* Page faults of the children that a process has waited for */
static long childrens_faults(pid_t pid)
{
	char path[64], line[512] = "", *paren;
	long faults = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return -1;
	paren = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	if (!paren || sscanf(paren + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %ld",
			     &faults) != 1)
		return -1;
	return faults;
}

/*
 * An orphan of the machine's init is gone in any case. That init waited for it
 * shows only in what it inherits of the ones it waits for.
 */
TEST_F(child, machine_init)
{
	const struct actor script[] = {
		{ .kind = KW_ORDINARY },
		{ .kind = variant->kind },
	};
	struct actor *cast = play(_metadata, script, 2);
	long before;
	pid_t init;

	dies(_metadata, &cast[0]);
	init = parent_of(&cast[1]);
	ASSERT_LT(0, init);
	ASSERT_NE(getpid(), init);
	EXPECT_TRUE(done(&cast[1], TOUCH));
	before = childrens_faults(init);
	ASSERT_LE(0, before);
	cast[1].order = DIE;
	EXPECT_TRUE(kw_until(kw_gone(cast[1].pid)));
	EXPECT_EQ(variant->kind == KW_ORDINARY,
		  childrens_faults(init) - before >= FAULTS);
	EXPECT_FALSE(kw_took_sigchld());
}

/*
 * The child is itself the init of a namespace with a zombie, which was the
 * parent of one that lives: whatever they are, it does not end before them.
 */
static void namespace_ends(struct __test_metadata *_metadata, enum kw_kind init,
			   enum kw_kind others)
{
	const struct actor script[] = {
		{ .kind = init, .flags = CLONE_NEWPID },
		{ .kind = others },
		{ .kind = others },
	};
	struct actor *cast = play(_metadata, script, 3);

	dies_under(_metadata, &cast[1], &cast[0]);
	EXPECT_EQ(cast[0].pid, parent_of(&cast[2]));
	EXPECT_FALSE(kw_gone(cast[2].pid));
	dies(_metadata, &cast[0]);
	EXPECT_TRUE(kw_gone(cast[1].pid));
	EXPECT_TRUE(kw_gone(cast[2].pid));
}

TEST_F(child, is_init)
{
	namespace_ends(_metadata, variant->kind, KW_ORDINARY);
}

TEST_F(child, is_init_of_its_kind)
{
	namespace_ends(_metadata, variant->kind, variant->kind);
}

static int creates(void *arg)
{
	enter(arg, 1);
	syscall(SYS_exit, 0);
	return 0;
}

/* The thread that created it ends, and leaves it to the rest of its process. */
static void parent_thread(struct __test_metadata *_metadata, enum kw_kind kind,
			  unsigned long flags)
{
	struct actor *child = kw_shared(sizeof(*child));
	pid_t tid;

	ASSERT_NE(NULL, child);
	child->kind = kind;
	kw_hold_sigchld();
	ASSERT_LT(0, kw_clone_thread(flags, creates, kw_stacks(1), child, &tid));
	ASSERT_TRUE(kw_until(child->pid &&
			     kw_proc_status(getpid(), "Threads") == 1));
	ASSERT_LT(0, child->pid);
	EXPECT_EQ(getpid(), parent_of(child));
	dies(_metadata, child);
}

TEST_F(child, parent_thread)
{
	parent_thread(_metadata, variant->kind, 0);
}

TEST_F(child, parent_detached_thread)
{
	parent_thread(_metadata, variant->kind, CLONE_DETACHED);
}

TEST_HARNESS_MAIN
