// SPDX-License-Identifier: GPL-2.0
/*
 * A thread created by clone() with CLONE_DETACHED, whose exit is one system call: kwaitd
 * releases it.
 *
 * If this fails, threads release themselves as without kwaitd, or are never released, or
 * twice. Every threaded musl program has such threads.
 */
#include "kwaitd_test.h"
#include "lib/counters.h"
#include "lib/cpu.h"
#include "lib/file.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/tasks.h"
#include "lib/thread.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define THREADS 64
#define ROUNDS 20

static bool tids_cleared(const pid_t *tid, int n)
{
	while (n--) {
		if (__atomic_load_n(&tid[n], __ATOMIC_ACQUIRE))
			return false;
	}
	return true;
}

static int exits_when(void *go)
{
	while (!__atomic_load_n((int *)go, __ATOMIC_ACQUIRE))
		syscall(SYS_sched_yield);
	syscall(SYS_exit, 0);
	return 0;
}

/* One of these dies, beside another thread or as the last but one. */
static void one_dies(struct __test_metadata *_metadata)
{
	pid_t tid = 0, thread;
	void *stack = kw_stacks(1);
	char path[64];

	thread = kw_thread(kw_thread_exits, stack, NULL, &tid);
	ASSERT_LT(0, thread);
	EXPECT_TRUE(kw_until(tids_cleared(&tid, 1)));
	snprintf(path, sizeof(path), "/proc/self/task/%d", thread);
	EXPECT_TRUE(kw_until(access(path, F_OK) == -1));
	EXPECT_EQ(-1, syscall(SYS_tgkill, getpid(), thread, 0));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_TRUE(kw_until(kw_at_rest()));
}

TEST_F(kwaitd, one_of_several)
{
	long before = kw_stat("queued_threads");

	ASSERT_TRUE(kw_second_thread());
	one_dies(_metadata);
	EXPECT_EQ(before + 1, kw_stat("queued_threads"));
}

/* Whoever is left may wait for it. */
TEST_F(kwaitd, last_but_one)
{
	long before = kw_stat("inline_last_thread");

	one_dies(_metadata);
	EXPECT_EQ(before + 1, kw_stat("inline_last_thread"));
	EXPECT_EQ(self->queued, kw_queued());
}

/* Who creates one at a time may have the next one when the last is not gone yet. */
TEST_F(kwaitd, one_at_a_time)
{
	long before = kw_stat("inline_last_thread");
	int go = 0;
	pid_t tid;

	ASSERT_LT(0, kw_thread(exits_when, kw_stacks(1), &go, &tid));
	ASSERT_TRUE(kw_second_thread());
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	EXPECT_TRUE(kw_until(tids_cleared(&tid, 1)));
	EXPECT_TRUE(kw_until(kw_stat("inline_last_thread") == before + 1));
	EXPECT_EQ(self->queued, kw_queued());
}

/*
 * Where the last but one dies, kwaitd does not let those before it wait for more. In a
 * round that takes longer than a tick it has been woken anyway: not all of them are.
 */
TEST_F(kwaitd, hurries)
{
	char *stacks = kw_stacks(2);
	pid_t kwaitd, first, tid[2];
	long wakeups, queued, stolen;
	time_t end = time(NULL) + KW_DEADLINE;
	int go, i, rounds = 0;

	ASSERT_EQ(1, kw_named("kwaitd/0", &kwaitd));
	ASSERT_EQ(0, kw_write(KW_PARAMS "batch", "64"));
	ASSERT_EQ(0, kw_pin(0));
	for (i = 0; i < ROUNDS || (!rounds && time(NULL) <= end); i++) {
		ASSERT_TRUE(kw_until(kw_at_rest() && kw_proc_state(kwaitd) == 'S'));
		wakeups = kw_stat("wakeups");
		queued = kw_stat("queued_threads");
		stolen = kw_stat("stolen");
		go = 0;
		/* It keeps the CPU busy: kwaitd is not woken for the other. */
		first = kw_thread(exits_when, stacks, &go, &tid[0]);
		ASSERT_LT(0, first);
		ASSERT_LT(0, kw_thread(kw_thread_exits, stacks + KW_STACK, NULL,
				       &tid[1]));
		while (!tids_cleared(&tid[1], 1))
			sched_yield();
		__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
		while (!syscall(SYS_tgkill, getpid(), first, 0))
			sched_yield();
		/*
		 * The other may have been late, and the last but one itself; or another CPU
		 * has released it, since the round took so long.
		 */
		if (kw_stat("queued_threads") == queued || kw_stat("stolen") != stolen)
			continue;
		EXPECT_LT(wakeups, kw_stat("wakeups"));
		rounds++;
	}
	EXPECT_LT(0, rounds);
}

/* The control: the same without the flag is not queued */
TEST_F(kwaitd, ordinary)
{
	pid_t tid = 0, thread;
	void *stack = kw_stacks(1);
	char path[64];

	thread = clone(kw_thread_exits, (char *)stack + KW_STACK,
		       CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		       CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
		       CLONE_CHILD_CLEARTID, NULL, &tid, NULL, &tid);
	ASSERT_LT(0, thread);
	snprintf(path, sizeof(path), "/proc/self/task/%d", thread);
	EXPECT_TRUE(kw_until(access(path, F_OK) == -1));
	EXPECT_EQ(self->queued, kw_queued());
}

TEST_F(kwaitd, many)
{
	void *stacks = kw_stacks(THREADS);
	long marked = kw_stat("marked_threads");
	long unaccounted = kw_unaccounted();
	pid_t tid[THREADS];
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < THREADS; i++) {
			tid[i] = -1;
			ASSERT_LT(0, kw_thread(kw_thread_exits,
					       stacks + i * KW_STACK,
					       NULL, &tid[i]));
		}
		ASSERT_TRUE(kw_until(tids_cleared(tid, THREADS)));
	}
	EXPECT_TRUE(kw_until(kw_proc_status(getpid(), "Threads") == 1));
	EXPECT_TRUE(kw_until(kw_at_rest()));
	EXPECT_EQ(marked + THREADS * ROUNDS, kw_stat("marked_threads"));
	EXPECT_EQ(unaccounted, kw_unaccounted());
	EXPECT_LT(self->queued, kw_queued());
}

static int spin(void *arg)
{
	volatile unsigned long n;

	for (n = 0; n < 20000000; n++)
		;
	syscall(SYS_exit, 0);
	return 0;
}

/* The CPU time of a released thread is its process's, once and for all. */
TEST_F(kwaitd, cpu_time_is_kept)
{
	struct rusage before, after;
	pid_t tid = -1;

	getrusage(RUSAGE_SELF, &before);
	ASSERT_LT(0, kw_thread(spin, kw_stacks(1), NULL, &tid));
	ASSERT_TRUE(kw_until(tids_cleared(&tid, 1)));
	ASSERT_TRUE(kw_until(kw_at_rest()));
	getrusage(RUSAGE_SELF, &after);
	timersub(&after.ru_utime, &before.ru_utime, &after.ru_utime);
	EXPECT_LT(1000, after.ru_utime.tv_sec * 1000000 + after.ru_utime.tv_usec);
}

TEST_HARNESS_MAIN
