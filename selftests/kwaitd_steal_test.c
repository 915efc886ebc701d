// SPDX-License-Identifier: GPL-2.0
/*
 * A real-time task that never gives its CPU away keeps kwaitd from running
 * there. What died there is released by another CPU.
 */
#include "kwaitd_test.h"

#define TASKS 8
#define RT_RUNTIME "/proc/sys/kernel/sched_rt_runtime_us"

/* Exits with 0 if it saw all its detached children go, without ever sleeping. */
static void hog(int cpu)
{
	struct sched_param param = { .sched_priority = 50 };
	char *stack = (char *)kw_stacks(1) + KW_STACK;
	time_t end = time(NULL) + KW_DEADLINE;
	pid_t pid[TASKS];
	int i;

	if (kw_pin(cpu) || sched_setscheduler(0, SCHED_FIFO, &param))
		_exit(1);
	for (i = 0; i < TASKS; i++) {
		pid[i] = clone(kw_thread_exits, stack,
			       CLONE_VM | CLONE_VFORK | CLONE_DETACHED, NULL);
		if (pid[i] < 0)
			_exit(2);
	}
	for (i = 0; i < TASKS; i++) {
		while (!kw_gone(pid[i])) {
			/* only to the children: they are SCHED_FIFO too */
			sched_yield();
			if (time(NULL) > end)
				_exit(3);
		}
	}
	_exit(0);
}

TEST_F_TIMEOUT(kwaitd, from_a_hog, 60)
{
	int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1, status;
	long stolen = kw_stat("stolen");
	char old[256];
	pid_t pid;

	if (cpu < 1)
		SKIP(return, "one CPU");
	snprintf(old, sizeof(old), "%s", kw_read(RT_RUNTIME));
	ASSERT_EQ(0, kw_write(RT_RUNTIME, "-1"));
	pid = kw_helper();
	if (!pid)
		hog(cpu);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, kw_write(RT_RUNTIME, old));
	EXPECT_EQ(stolen + TASKS, kw_stat("stolen"));
}

TEST_HARNESS_MAIN
