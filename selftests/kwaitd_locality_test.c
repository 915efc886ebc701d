// SPDX-License-Identifier: GPL-2.0
/*
 * A task is released by the kwaitd of the CPU that it died on. With all tasks pinned to
 * one CPU, only the counters of that CPU change, but for what a thief counts as stolen.
 *
 * If this fails, tasks are released where their memory is not in the cache, and slowly.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/cpu.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/thread.h"

#define TASKS 50

struct row {
	long threads, processes, reaped;
};

static struct row row(int cpu)
{
	return (struct row) {
		.threads = kw_cpu_stat(cpu, "queued_threads"),
		.processes = kw_cpu_stat(cpu, "queued_processes"),
		.reaped = kw_cpu_stat(cpu, "reaped"),
	};
}

/* How many tasks CPUs other than this one have released since @before */
static long elsewhere(int cpu, int cpus, const struct row *before)
{
	long n = 0;
	int other;

	for (other = 0; other < cpus; other++) {
		if (other != cpu)
			n += row(other).reaped - before[other].reaped;
	}
	return n;
}

TEST_F(kwaitd, own_cpu_only)
{
	int cpus = sysconf(_SC_NPROCESSORS_CONF), cpu, other, i;
	struct row before[cpus], after;
	void *stack = kw_stacks(1);
	long stolen;
	pid_t tid, pid;

	ASSERT_TRUE(kw_company(2));
	for (cpu = 0; cpu < cpus; cpu++) {
		ASSERT_EQ(0, kw_pin(cpu));
		stolen = kw_stat("stolen");
		for (other = 0; other < cpus; other++)
			before[other] = row(other);
		for (i = 0; i < TASKS; i++) {
			tid = -1;
			ASSERT_LT(0, kw_thread(kw_thread_exits, stack, NULL,
					       &tid));
			ASSERT_TRUE(kw_until(!__atomic_load_n(&tid, __ATOMIC_RELAXED)));
			pid = kw_fork(CLONE_DETACHED);
			if (!pid)
				_exit(0);
			ASSERT_TRUE(kw_until(kw_gone(pid)));
		}
		ASSERT_TRUE(kw_until(kw_at_rest()));
		/* A thief, if this CPU was busy, counts what it has stolen when it is done. */
		EXPECT_TRUE(kw_until(elsewhere(cpu, cpus, before) <=
				     kw_stat("stolen") - stolen));
		EXPECT_LT(before[cpu].reaped, row(cpu).reaped);
		for (other = 0; other < cpus; other++) {
			int moved = other == cpu ? TASKS : 0;

			after = row(other);
			EXPECT_EQ(before[other].threads + moved, after.threads);
			EXPECT_EQ(before[other].processes + moved,
				  after.processes);
		}
	}
}

TEST_HARNESS_MAIN
