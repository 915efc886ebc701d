// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody waits for kwaitd. Tasks are queued on a CPU that kwaitd does not get, and somebody
 * waits until they are released: who waits releases them.
 *
 * If this fails, wait4(), execve(), the end of a container and others take as long as kwaitd
 * needs to get a busy CPU; and who looks at a process that is dead takes it for alive.
 *
 * What is counted is who released the tasks. Real-time tasks keep all CPUs meanwhile, so
 * that no CPU can steal them from the one that kwaitd does not get. A round in which some
 * of the tasks were not queued, as a real-time task was preempted in the middle of its
 * death, is repeated, until enough rounds were good.
 */
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/cpu.h"
#include "lib/file.h"
#include "lib/harness.h"
#include "lib/kernel.h"
#include "lib/module.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/thread.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define ROUNDS 5		/* that are good */
#define DEAD 4			/* tasks that are queued in a round */
#define RT_RUNTIME "/proc/sys/kernel/sched_rt_runtime_us"

/* A process with threads, of which some are dead, and some wait until they are told. */
static struct {
	int go;			/* those that are alive may exit */
	long queued;		/* on this machine, before the next one dies */
	pid_t alive[2], dead;
} group;

static bool is_set(const int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static bool thread_exists(pid_t tid)
{
	return !syscall(SYS_tgkill, getpid(), tid, 0);
}

static bool process_exists(pid_t pid)
{
	return !kill(pid, 0);
}

/*
 * A task of the caller's priority and CPU is dying. It may be preempted in the middle of
 * that, so wait until it is queued; or gone, if it has not been. Nothing else is queued.
 */
static void queued_or_gone(long *queued, bool (*exists)(pid_t id), pid_t id)
{
	while (kw_queued() == *queued && exists(id))
		sched_yield();
	++*queued;
}

static int exits_when_told(void *arg)
{
	while (!is_set(&group.go))
		syscall(SYS_sched_yield);
	/* The wait status, if it is the last one. */
	syscall(SYS_exit, KW_CODE);
	return 0;
}

/*
 * The caller gets threads that die while two others, besides itself, are alive. All have the
 * caller's real-time priority and CPU, so kwaitd does not get to run.
 */
static void make_group(int (*first)(void *))
{
	char *stacks = kw_stacks(DEAD + 2);
	pid_t tid[DEAD];
	int i;

	group.queued = kw_queued();

	if (!stacks || kw_thread(first, stacks, NULL, &group.alive[0]) < 0 ||
	    kw_thread(exits_when_told, stacks + KW_STACK, NULL, &group.alive[1]) < 0)
		_exit(1);
	for (i = 0; i < DEAD; i++) {
		tid[i] = kw_thread(kw_thread_exits, stacks + (i + 2) * KW_STACK, NULL,
				   &group.dead);
		if (tid[i] < 0)
			_exit(2);
	}
	for (i = 0; i < DEAD; i++)
		queued_or_gone(&group.queued, thread_exists, tid[i]);
}

/* The two others end, too. */
static void end_others(void)
{
	pid_t last[2] = { group.alive[0], group.alive[1] };
	int i;

	__atomic_store_n(&group.go, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++) {
		while (!syscall(SYS_tgkill, getpid(), last[i], 0))
			sched_yield();
	}
}

static void exit_after_others(void)
{
	make_group(exits_when_told);
	end_others();
	syscall(SYS_exit, KW_CODE);
}

/* Does not wait for the others to be gone. */
static void exit_group(void)
{
	make_group(exits_when_told);
	syscall(SYS_exit_group, KW_CODE);
}

static void exit_before_others(void)
{
	make_group(exits_when_told);
	__atomic_store_n(&group.go, 1, __ATOMIC_RELEASE);
	syscall(SYS_exit, KW_CODE);
}

static int execs(void *arg)
{
	static char *const argv[] = { "sh", "-c", "exit 7", NULL };

	while (arg && !is_set(&group.go))
		syscall(SYS_sched_yield);
	syscall(SYS_execve, "/bin/sh", argv, NULL);
	syscall(SYS_exit_group, 1);
	return 0;
}

static int execs_when_told(void *arg)
{
	return execs(&group);
}

static void exec_by_leader(void)
{
	make_group(exits_when_told);
	execs(NULL);
}

static void exec_by_thread(void)
{
	make_group(execs_when_told);
	__atomic_store_n(&group.go, 1, __ATOMIC_RELEASE);
	for (;;)
		sched_yield();
}

/* The group must have one thread, the dead ones counted. */
static void unshare_user(void)
{
	make_group(exits_when_told);
	end_others();
	_exit(unshare(CLONE_NEWUSER) ? 3 : KW_CODE);
}

/* The init of a pid namespace, with detached processes that die before it */
static void end_namespace(void)
{
	long queued = kw_queued();
	pid_t pid[DEAD];
	int i;

	for (i = 0; i < DEAD; i++) {
		pid[i] = kw_child(KW_DETACHED, 0);
		if (pid[i] < 0)
			_exit(1);
		if (!pid[i])
			_exit(0);
	}
	for (i = 0; i < DEAD; i++)
		queued_or_gone(&queued, process_exists, pid[i]);
	_exit(KW_CODE);
}

static int got[2];	/* a byte for each signal that the stopped process gets */

static void on_signal(int sig)
{
	if (write(got[1], sig == SIGHUP ? "H" : "C", 1) != 1)
		_exit(1);
}

static pid_t stopped_member(void)
{
	pid_t pid = fork();

	if (!pid) {
		signal(SIGHUP, on_signal);
		signal(SIGCONT, on_signal);
		raise(SIGSTOP);
		for (;;)
			pause();
	}
	while (kw_proc_state(pid) != 'T')
		sched_yield();
	return pid;
}

/* The job of a shell: it exits when told, and is the parent of the stopped process. */
static void job(int *ready, int *go)
{
	pid_t pid;
	char c;

	setpgid(0, 0);
	pid = stopped_member();
	if (write(ready[1], &pid, sizeof(pid)) != sizeof(pid) || read(go[0], &c, 1) != 1)
		_exit(1);
	_exit(0);
}

/*
 * A shell, whose job has a stopped member, and another one with threads, which is dead
 * when the last one ends that keeps the job's process group from being orphaned. The
 * stopped one must get SIGHUP and SIGCONT, or it stays stopped for ever.
 */
static void orphan_group(void)
{
	int ready[2], go[2];
	pid_t last, threaded, stopped;
	char c[2];

	if (setsid() < 0 || pipe(got) || pipe(ready) || pipe(go))
		_exit(1);
	last = fork();
	if (!last)
		job(ready, go);
	if (read(ready[0], &stopped, sizeof(stopped)) != sizeof(stopped))
		_exit(2);
	threaded = fork();
	if (!threaded) {
		setpgid(0, last);
		exit_after_others();
	}
	while (kw_proc_state(threaded) != 'Z')
		sched_yield();
	if (write(go[1], "", 1) != 1)
		_exit(3);
	/* Ends with the caller's patience, if they do not come. */
	alarm(KW_DEADLINE);
	if (read(got[0], &c[0], 1) != 1 || read(got[0], &c[1], 1) != 1)
		_exit(4);
	kill(stopped, SIGKILL);
	_exit(c[0] != c[1] ? KW_CODE : 5);
}

/* A filter of system calls that allows them all */
static long allow_all(unsigned int flags)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog prog = { .len = 1, .filter = &allow };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static int filters_and_exits(void *arg)
{
	allow_all(0);
	syscall(SYS_exit, 0);
	return 0;
}

/* Linux before 6.11 refuses a filter for all threads if a dead one had another. */
static void sync_filters(void)
{
	pid_t tid, id;

	make_group(exits_when_told);
	id = kw_thread(filters_and_exits, kw_stacks(1), NULL, &tid);
	if (id < 0)
		_exit(3);
	queued_or_gone(&group.queued, thread_exists, id);
	_exit(allow_all(SECCOMP_FILTER_FLAG_TSYNC) ? 4 : KW_CODE);
}

static void fifo(int priority)
{
	const struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER, &param))
		_exit(4);
}

/* For those who keep the other CPUs, shared with them */
static struct {
	int wanted;		/* they are to keep them */
	int keeping;		/* so many do */
} *others;

/* Keeps a CPU when it is wanted, but never for so long that the machine stands still. */
static void keep(int cpu)
{
	time_t end;

	if (kw_pin(cpu))
		_exit(1);
	fifo(20);
	for (;;) {
		while (!is_set(&others->wanted))
			usleep(200);
		__atomic_add_fetch(&others->keeping, 1, __ATOMIC_RELEASE);
		end = time(NULL) + 10;
		while (is_set(&others->wanted) && time(NULL) < end)
			;
		while (is_set(&others->wanted))
			usleep(200);
		__atomic_sub_fetch(&others->keeping, 1, __ATOMIC_RELEASE);
	}
}

static void keep_others(bool wanted)
{
	int n = wanted ? sysconf(_SC_NPROCESSORS_ONLN) - 1 : 0;

	__atomic_store_n(&others->wanted, wanted, __ATOMIC_RELEASE);
	while (__atomic_load_n(&others->keeping, __ATOMIC_ACQUIRE) != n)
		usleep(200);
}

typedef bool waits_fn(pid_t pid);

static bool waits_pidfd(pid_t pid)
{
	struct pollfd p = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool ok = poll(&p, 1, KW_DEADLINE * 1000) == 1 && p.revents & POLLIN;

	close(p.fd);
	return ok;
}

static bool waits_tracer(pid_t pid)
{
	return !ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

/*
 * One process lives and ends, and is waited for. Return: was all that was queued released by
 * those who would have waited?
 */
static bool one_round(struct __test_metadata *_metadata, unsigned long flags,
		      void (*life)(void), waits_fn *waits)
{
	long stolen = kw_stat("stolen"), queued = kw_queued();
	long collected = kw_stat("collected"), reaped = kw_stat("reaped");
	int status = -1;
	pid_t pid;

	keep_others(true);
	fifo(10);
	pid = kw_fork(flags | SIGCHLD);
	if (!pid)
		life();
	if (waits)
		EXPECT_TRUE(waits(pid));
	while (waitpid(pid, &status, __WALL | WNOHANG) != pid)
		sched_yield();
	fifo(0);
	keep_others(false);
	EXPECT_EQ(KW_EXITED, status);
	EXPECT_TRUE(kw_until(kw_at_rest()));
	queued = kw_queued() - queued;
	if (queued < DEAD || kw_stat("stolen") != stolen)
		return false;
	return kw_stat("collected") - collected == kw_stat("reaped") - reaped;
}

FIXTURE(waiter) {
	char runtime[256];
};

FIXTURE_SETUP(waiter)
{
	int cpu;

	if (!kw_loaded())
		SKIP(_exit(255), "kwaitd is not loaded");
	ASSERT_TRUE(kw_until(kw_at_rest()));
	snprintf(self->runtime, sizeof(self->runtime), "%s", kw_read(RT_RUNTIME));
	ASSERT_EQ(0, kw_write(RT_RUNTIME, "-1"));
	others = kw_shared(sizeof(*others));
	ASSERT_NE(NULL, others);
	for (cpu = 1; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++) {
		if (!kw_helper())
			keep(cpu);
	}
	ASSERT_EQ(0, kw_pin(0));
}

FIXTURE_TEARDOWN(waiter)
{
	EXPECT_EQ(0, kw_write(RT_RUNTIME, self->runtime));
}

static void rounds(struct __test_metadata *_metadata, unsigned long flags,
		   void (*life)(void), waits_fn *waits)
{
	int tries = 0, good = 0;

	EXPECT_TRUE(kw_until((tries++, good += one_round(_metadata, flags, life, waits),
			      good == ROUNDS || !_metadata->passed)));
	TH_LOG("%d of %d were good", good, tries);
}

TEST_F(waiter, wait4)
{
	rounds(_metadata, 0, exit_after_others, NULL);
}

TEST_F(waiter, leader_exits_first)
{
	rounds(_metadata, 0, exit_before_others, NULL);
}

TEST_F(waiter, exit_group)
{
	rounds(_metadata, 0, exit_group, NULL);
}

TEST_F(waiter, pidfd)
{
	rounds(_metadata, 0, exit_after_others, waits_pidfd);
}

TEST_F(waiter, tracer)
{
	rounds(_metadata, 0, exit_after_others, waits_tracer);
}

TEST_F(waiter, exec_by_leader)
{
	rounds(_metadata, 0, exec_by_leader, NULL);
}

TEST_F(waiter, exec_by_thread)
{
	rounds(_metadata, 0, exec_by_thread, NULL);
}

TEST_F(waiter, unshare)
{
	rounds(_metadata, 0, unshare_user, NULL);
}

TEST_F(waiter, end_of_namespace)
{
	rounds(_metadata, CLONE_NEWPID, end_namespace, NULL);
}

TEST_F(waiter, orphaned_group)
{
	rounds(_metadata, 0, orphan_group, NULL);
}

TEST_F(waiter, seccomp_sync)
{
	long before = kw_stat("inline_seccomp");

	rounds(_metadata, 0, sync_filters, NULL);
	EXPECT_LE(before + (kw_kernel_since(6, 11) ? 0 : ROUNDS), kw_stat("inline_seccomp"));
}

/*
 * What a program can see of a queued task, though nobody waits for it. It does not last:
 * docs/reliability.md. Each is looked at while kwaitd does not get the CPU, and must be over
 * when it does.
 */
struct sight {
	pid_t (*dies)(void);		/* Return: the task or group that is queued */
	bool (*is_seen)(pid_t id);
};

static pid_t process_dies(void)
{
	pid_t pid = kw_child(KW_DETACHED, 0);

	if (!pid) {
		setpgid(0, 0);
		_exit(0);
	}
	return pid;
}

static bool process_is_seen(pid_t pid)
{
	return !kill(pid, 0);
}

static bool group_is_seen(pid_t pid)
{
	return !kill(-pid, 0);
}

static pid_t thread_dies(void)
{
	pid_t tid, id;

	if (!kw_company(2))
		return -1;
	id = kw_thread(kw_thread_exits, kw_stacks(1), NULL, &tid);
	while (is_set(&tid))
		sched_yield();
	return id;
}

static bool thread_is_seen(pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d", tid);
	return !syscall(SYS_tgkill, getpid(), tid, 0) && !access(path, F_OK) &&
	       kw_proc_status(getpid(), "Threads") == 4;
}

/* In a helper, which is a group of its own and leaves it to its child. */
static pid_t leaves_group(void)
{
	pid_t pid, group = getpgrp();

	setpgid(0, 0);
	pid = kw_child(KW_DETACHED, 0);
	if (!pid)
		_exit(0);
	setpgid(0, group);
	return pid;
}

static bool session_is_refused(pid_t pid)
{
	return setsid() < 0 && errno == EPERM;
}

/* A process that shares the signal handlers */
static pid_t sharer_dies(void)
{
	char *stack = (char *)kw_stacks(1) + KW_STACK;

	return clone(kw_thread_exits, stack, CLONE_VM | CLONE_SIGHAND | CLONE_DETACHED,
		     NULL);
}

static bool unshare_is_refused(pid_t pid)
{
	return unshare(CLONE_SIGHAND) && errno == EINVAL;
}

static void see(const struct sight *s)
{
	long queued = kw_queued();
	struct timespec from, to;
	pid_t id;
	bool seen;

	fifo(10);
	id = s->dies();
	/* On the CPU that this task keeps */
	while (kw_queued() == queued)
		sched_yield();
	clock_gettime(CLOCK_MONOTONIC, &from);
	seen = s->is_seen(id);
	fifo(0);
	/* Another CPU may have been fast. Then setsid() has done it, and never does again. */
	if (!seen)
		_exit(0);
	if (!kw_until(!s->is_seen(id)))
		_exit(1);
	clock_gettime(CLOCK_MONOTONIC, &to);
	fprintf(stderr, "# seen for %ld us more\n",
		(to.tv_sec - from.tv_sec) * 1000000L + (to.tv_nsec - from.tv_nsec) / 1000);
	_exit(KW_CODE);
}

static bool sees_once(struct __test_metadata *_metadata, const struct sight *s)
{
	int status = -1;
	pid_t pid = kw_helper();

	if (!pid)
		see(s);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(status == KW_EXITED || !status);
	return status == KW_EXITED || !_metadata->passed;
}

static void sees(struct __test_metadata *_metadata, pid_t (*dies)(void),
		 bool (*is_seen)(pid_t id))
{
	const struct sight s = { dies, is_seen };

	EXPECT_TRUE(kw_until(sees_once(_metadata, &s)));
}

TEST_F(waiter, process_is_seen)
{
	sees(_metadata, process_dies, process_is_seen);
}

TEST_F(waiter, process_group_is_seen)
{
	sees(_metadata, process_dies, group_is_seen);
}

TEST_F(waiter, thread_is_seen)
{
	sees(_metadata, thread_dies, thread_is_seen);
}

TEST_F(waiter, setsid_is_refused)
{
	sees(_metadata, leaves_group, session_is_refused);
}

TEST_F(waiter, unshare_is_refused)
{
	sees(_metadata, sharer_dies, unshare_is_refused);
}

TEST_HARNESS_MAIN
