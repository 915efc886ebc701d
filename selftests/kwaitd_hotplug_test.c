// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs go down and come back while detached tasks die on all of them.
 *
 * If this fails, tasks stay in the queue of a CPU that is gone, and are never released.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/cpu.h"
#include "lib/file.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/thread.h"

#include <sched.h>

#define CYCLES 10

/* Make detached processes until told to stop, and exit with 0 if all went well */
static void storm(const int *stop)
{
	char *stack = (char *)kw_stacks(1) + KW_STACK;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		if (clone(kw_thread_exits, stack,
			  CLONE_VM | CLONE_VFORK | CLONE_DETACHED, NULL) < 0)
			_exit(1);
	}
	_exit(0);
}

static int set_online(int cpu, bool online)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online",
		 cpu);
	return kw_write(path, online ? "1" : "0");
}

TEST_F(kwaitd, off_and_on)
{
	int cpus = sysconf(_SC_NPROCESSORS_CONF), i, cpu, status;
	int *stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long inlined = kw_inline(), marked = kw_stat("marked_processes");
	long unaccounted = kw_unaccounted();
	pid_t pid[2 * cpus];

	if (cpus < 2)
		SKIP(return, "one CPU");
	/* so that there is something in the queues */
	ASSERT_EQ(0, kw_write(KW_PARAMS "batch", "4096"));
	for (i = 0; i < 2 * cpus; i++) {
		pid[i] = kw_helper();
		if (!pid[i])
			storm(stop);
	}
	for (i = 0; i < CYCLES; i++) {
		for (cpu = 1; cpu < cpus; cpu++)
			EXPECT_EQ(0, set_online(cpu, false));
		/* no task can die there now, and none has been left there */
		for (cpu = 1; cpu < cpus; cpu++)
			EXPECT_EQ(0, kw_cpu_stat(cpu, "backlog"));
		for (cpu = 1; cpu < cpus; cpu++)
			EXPECT_EQ(0, set_online(cpu, true));
	}
	*stop = 1;
	for (i = 0; i < 2 * cpus; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_TRUE(kw_until(kw_unaccounted() == unaccounted));
	EXPECT_TRUE(kw_until(kw_at_rest()));
	EXPECT_EQ(0, kw_stat("live_marks"));
	TH_LOG("%ld processes, %ld of them inline",
	       kw_stat("marked_processes") - marked, kw_inline() - inlined);
}

/* A process dies here. Return: was it the kwaitd of this CPU that released it? */
static bool kwaitd_releases(int cpu)
{
	long reaped = kw_cpu_stat(cpu, "reaped"), stolen = kw_stat("stolen");
	pid_t pid = kw_fork(CLONE_DETACHED);

	if (!pid)
		_exit(0);
	return pid > 0 && kw_until(kw_gone(pid)) && kw_until(kw_at_rest()) &&
	       kw_cpu_stat(cpu, "reaped") == reaped + 1 && kw_stat("stolen") == stolen;
}

/*
 * A kwaitd that came back serves its CPU again: at once, or, if a thief is faster on a busy
 * machine, the next time.
 */
TEST_F(kwaitd, works_again)
{
	int cpu = sysconf(_SC_NPROCESSORS_CONF) - 1;

	if (cpu < 1)
		SKIP(return, "one CPU");
	ASSERT_EQ(0, set_online(cpu, false));
	ASSERT_EQ(0, set_online(cpu, true));
	ASSERT_EQ(0, kw_pin(cpu));
	EXPECT_TRUE(kw_until(kwaitd_releases(cpu)));
}

TEST_HARNESS_MAIN
