// SPDX-License-Identifier: GPL-2.0
/*
 * How a process of several threads ends, with detached threads among them or not: its last
 * thread after the leader, all at once by exit_group() or a signal, and with a core dump.
 *
 * If this fails, a dead leader stays when its last thread is gone. Or it vanishes, or can
 * be waited for, while there are other threads.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/end.h"
#include "lib/file.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/team.h"
#include "lib/thread.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define EXITS_7 (7 << 8)	/* a wait status */
#define CORE_DUMPED 0x80	/* in one */
#define CORE_PATTERN "/proc/sys/kernel/core_pattern"
#define CORE "/tmp/kwaitd-core-"

static int exits_when_told(void *arg)
{
	kw_told(arg);
	syscall(SYS_exit, 7);
	return 0;
}

static int exits_group(void *arg)
{
	kw_told(arg);
	syscall(SYS_exit_group, 7);
	return 0;
}

static int dumps_core(void *arg)
{
	if (kw_told(arg))
		syscall(SYS_tkill, syscall(SYS_gettid), SIGQUIT);
	syscall(SYS_exit_group, 1);
	return 0;
}

/*
 * Busy when its process is to end, without a system call to notice it by. Not in the way
 * of who is to end it.
 */
static int spins(void *arg)
{
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	syscall(SYS_setpriority, PRIO_PROCESS, 0, 19);
	for (;;)
		__asm__ volatile("" ::: "memory");
	return 0;
}

static long threads(pid_t pid)
{
	return kw_proc_status(pid, "Threads");
}

static void tell(int *gate)
{
	if (write(gate[1], "", 1) != 1)
		perror("pipe");
}

static void close_both(int *gate)
{
	close(gate[0]);
	close(gate[1]);
}

/* Dead as its leader is, it is not over. */
static bool leader_stays(pid_t pid)
{
	return kw_until(kw_proc_state(pid) == 'Z') &&
	       waitpid(pid, NULL, WNOHANG | __WALL) == 0 && !kw_took_sigchld();
}

/* A process of several threads, and how it is to end */
struct ending {
	struct kw_team team;
	__u64 flags;	/* the process's */
	int sig;	/* from outside, or 0: a byte goes to the gate */
	int status;	/* wait status */
};

/* Is there a core file of it? Removes it. */
static bool took_core(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), CORE "%d", pid);
	return !stat(path, &st) && st.st_size > 0 && !unlink(path);
}

/* With EXPECT only: the caller has something to restore. */
static bool end_one(struct __test_metadata *_metadata, enum kw_kind kind,
		    const struct ending *e)
{
	int *gate = e->team.arg;
	bool ok, core;
	pid_t pid;

	EXPECT_EQ(0, pipe(gate));
	pid = kw_team(kind, e->flags, &e->team);
	EXPECT_LT(0, pid);
	if (pid < 0)
		return false;
	EXPECT_TRUE(kw_until(threads(pid) == e->team.threads + 1));
	EXPECT_TRUE(e->team.leader != kw_thread_exits || leader_stays(pid));
	if (e->sig)
		kill(pid, e->sig);
	else
		tell(gate);
	ok = kw_expect_end(_metadata, kind, pid, e->status);
	core = !(e->status & CORE_DUMPED) || took_core(pid);
	EXPECT_TRUE(core);
	close_both(gate);
	return ok && core;
}

static void end_all(struct __test_metadata *_metadata, enum kw_kind kind,
		    struct ending *e)
{
	int gate[2];

	e->team.rest = kw_thread_waits;
	e->team.arg = gate;
	kw_hold_sigchld();
	while (kw_team_next(&e->team)) {
		if (!end_one(_metadata, kind, e)) {
			TH_LOG("%u threads, flags %#lx", e->team.threads,
			       e->team.flags);
			break;
		}
	}
}

TEST_F(child, exit_group_by_leader)
{
	struct ending e = {
		.team = { .leader = exits_group, .first = spins },
		.status = EXITS_7,
	};

	end_all(_metadata, variant->kind, &e);
}

TEST_F(child, exit_group_by_thread)
{
	struct ending e = {
		.team = { .leader = spins, .first = exits_group },
		.status = EXITS_7,
	};

	end_all(_metadata, variant->kind, &e);
}

TEST_F(child, exit_group_without_leader)
{
	struct ending e = {
		.team = { .leader = kw_thread_exits, .first = exits_group },
		.status = EXITS_7,
	};

	end_all(_metadata, variant->kind, &e);
}

TEST_F(child, killed)
{
	struct ending e = {
		.team = { .leader = kw_thread_waits, .first = spins },
		.sig = SIGKILL,
		.status = SIGKILL,
	};

	end_all(_metadata, variant->kind, &e);
}

TEST_F(child, killed_without_leader)
{
	struct ending e = {
		.team = { .leader = kw_thread_exits, .first = spins },
		.sig = SIGKILL,
		.status = SIGKILL,
	};

	end_all(_metadata, variant->kind, &e);
}

/* The last thread of an init waits for all pids of the namespace but two. */
TEST_F(child, killed_init)
{
	struct ending e = {
		.team = { .leader = kw_thread_waits, .first = spins },
		.flags = CLONE_NEWPID,
		.sig = SIGKILL,
		.status = SIGKILL,
	};

	end_all(_metadata, variant->kind, &e);
}

static void dump_all(struct __test_metadata *_metadata, enum kw_kind kind,
		     struct ending *e)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	char *pattern = strdup(kw_read(CORE_PATTERN));

	ASSERT_NE(NULL, pattern);
	EXPECT_EQ(0, kw_write(CORE_PATTERN, CORE "%p"));
	EXPECT_EQ(0, setrlimit(RLIMIT_CORE, &unlimited));
	end_all(_metadata, kind, e);
	EXPECT_EQ(0, kw_write(CORE_PATTERN, pattern));
}

TEST_F(child, dumped)
{
	struct ending e = {
		.team = { .leader = kw_thread_waits, .first = spins },
		.sig = SIGQUIT,
		.status = SIGQUIT | CORE_DUMPED,
	};

	dump_all(_metadata, variant->kind, &e);
}

TEST_F(child, dumped_by_leader)
{
	struct ending e = {
		.team = { .leader = dumps_core, .first = spins },
		.status = SIGQUIT | CORE_DUMPED,
	};

	dump_all(_metadata, variant->kind, &e);
}

TEST_F(child, dumped_by_thread)
{
	struct ending e = {
		.team = { .leader = spins, .first = dumps_core },
		.status = SIGQUIT | CORE_DUMPED,
	};

	dump_all(_metadata, variant->kind, &e);
}

TEST_F(child, dumped_without_leader)
{
	struct ending e = {
		.team = { .leader = kw_thread_exits, .first = dumps_core },
		.status = SIGQUIT | CORE_DUMPED,
	};

	dump_all(_metadata, variant->kind, &e);
}

typedef pid_t start_fn(enum kw_kind kind, __u64 flags,
		       const struct kw_team *team);

/* The leader exits, then the others one by one. The status is the last one's. */
static bool end_one_by_one(struct __test_metadata *_metadata, enum kw_kind kind,
			   __u64 flags, const struct kw_team *team,
			   start_fn *start)
{
	int *gate = team->arg;
	unsigned int left;
	pid_t pid;
	bool ok;

	ASSERT_EQ(0, pipe(gate));
	pid = start(kind, flags, team);
	ASSERT_LT(0, pid);
	EXPECT_EQ(getpid(), kw_proc_status(pid, "PPid"));
	EXPECT_TRUE(leader_stays(pid));
	EXPECT_TRUE(kw_until(threads(pid) == team->threads + 1));
	for (left = team->threads; left > 1; left--) {
		tell(gate);
		EXPECT_TRUE(kw_until(threads(pid) == left));
	}
	EXPECT_TRUE(leader_stays(pid));
	tell(gate);
	ok = kw_expect_end(_metadata, kind, pid, EXITS_7);
	close_both(gate);
	return ok;
}

/* As kw_team(), but its parent dies when only the leader is dead. */
static pid_t orphaned_team(enum kw_kind kind, __u64 flags,
			   const struct kw_team *team)
{
	pid_t *shared = kw_shared(sizeof(*shared)), parent, pid;
	int status = -1;

	if (!shared)
		return -1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	parent = kw_helper();
	if (!parent) {
		pid = kw_team(kind, flags, team);
		*shared = pid;
		_exit(pid < 0 || !leader_stays(pid));
	}
	waitpid(parent, &status, 0);
	pid = *shared;
	munmap(shared, sizeof(*shared));
	/* of the parent's death alone */
	return kw_took_sigchld() && !status ? pid : -1;
}

static void leader_first(struct __test_metadata *_metadata, enum kw_kind kind,
			 __u64 flags, start_fn *start)
{
	int gate[2];
	struct kw_team team = {
		.leader = kw_thread_exits,
		.first = exits_when_told,
		.rest = exits_when_told,
		.arg = gate,
	};

	kw_hold_sigchld();
	while (kw_team_next(&team)) {
		if (!end_one_by_one(_metadata, kind, flags, &team, start)) {
			TH_LOG("%u threads, flags %#lx", team.threads,
			       team.flags);
			break;
		}
	}
}

TEST_F(child, leader_first)
{
	leader_first(_metadata, variant->kind, 0, kw_team);
}

TEST_F(child, leader_first_of_init)
{
	leader_first(_metadata, variant->kind, CLONE_NEWPID, kw_team);
}

TEST_F(child, leader_then_parent)
{
	leader_first(_metadata, variant->kind, 0, orphaned_team);
}

TEST_HARNESS_MAIN
