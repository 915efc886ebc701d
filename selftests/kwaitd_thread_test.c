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

	ASSERT_TRUE(kw_company(2));
	one_dies(_metadata);
	EXPECT_EQ(before + 1, kw_stat("queued_threads"));
}

/* Whoever is left may wait for it. */
static void leaves_few(struct __test_metadata *_metadata, long queued)
{
	long before = kw_stat("inline_last_thread");

	one_dies(_metadata);
	EXPECT_EQ(before + 1, kw_stat("inline_last_thread"));
	EXPECT_EQ(queued, kw_queued());
}

TEST_F(kwaitd, leaves_one)
{
	leaves_few(_metadata, self->queued);
}

TEST_F(kwaitd, leaves_two)
{
	ASSERT_TRUE(kw_company(1));
	leaves_few(_metadata, self->queued);
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
