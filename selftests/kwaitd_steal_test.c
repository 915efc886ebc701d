// SPDX-License-Identifier: GPL-2.0
/*
 * A real-time task that never gives its CPU away keeps kwaitd from running there. Another
 * CPU releases the tasks that died there, none later than LIMIT after its death. A poll of
 * a pidfd returns, and grace times end.
 *
 * If this fails, one busy real-time task is enough for dead tasks to pile up, and for
 * those that wait for them to hang.
 *
 * The clock goes on when the machine does not run the guest. Then a task may be released
 * later than LIMIT whatever kwaitd does. Such a round is repeated, until enough rounds
 * were good.
 */
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/cpu.h"
#include "lib/ctl.h"
#include "lib/file.h"
#include "lib/harness.h"
#include "lib/module.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/reaper.h"
#include "lib/thread.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#define FIFO 50			/* the hog's priority */
#define TASKS 8
#define ROUNDS 5		/* that are good */
#define LIMIT 100000000L	/* ns */
#define RT_RUNTIME "/proc/sys/kernel/sched_rt_runtime_us"
#define EVENT KW_TRACEFS "events/kwaitd/kwaitd_reap/enable"

struct shared {
	int stop;
	pid_t pid[TASKS];
};

static void fifo(int cpu, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (kw_pin(cpu) || sched_setscheduler(0, SCHED_FIFO, &param))
		_exit(1);
}

/* Exits with 0 if it saw all its detached children go, without ever sleeping. */
static void hog(struct shared *s, int cpu)
{
	char *stack = (char *)kw_stacks(1) + KW_STACK;
	time_t end = time(NULL) + KW_DEADLINE;
	int i;

	fifo(cpu, FIFO);
	for (i = 0; i < TASKS; i++) {
		s->pid[i] = clone(kw_thread_exits, stack,
				  CLONE_VM | CLONE_VFORK | CLONE_DETACHED, NULL);
		if (s->pid[i] < 0)
			_exit(2);
	}
	for (i = 0; i < TASKS; i++) {
		while (!kw_gone(s->pid[i])) {
			/* only to the children: they are SCHED_FIFO too */
			sched_yield();
			if (time(NULL) > end)
				_exit(3);
		}
	}
	_exit(0);
}

/* The longest wait for a release among those tasks; n: how many there were */
static long longest(const struct shared *s, int cpu, int *n)
{
	FILE *f = fopen(KW_TRACEFS "trace", "r");
	char line[512], *p, *q;
	int pid, from, i;
	long ns, max = 0;

	for (*n = 0; f && fgets(line, sizeof(line), f);) {
		p = strstr(line, "kwaitd_reap: pid=");
		q = p ? strstr(p, "queue_cpu=") : NULL;
		if (!q || sscanf(p, "kwaitd_reap: pid=%d", &pid) != 1 ||
		    sscanf(q, "queue_cpu=%d reap_cpu=%*d latency=%ld", &from,
			   &ns) != 2 || from != cpu)
			continue;
		for (i = 0; i < TASKS && s->pid[i] != pid; i++)
			;
		if (i == TASKS)
			continue;
		++*n;
		max = ns > max ? ns : max;
	}
	if (f)
		fclose(f);
	return max;
}

/* Return: was each of them released in time? */
static bool one_round(struct __test_metadata *_metadata, struct shared *s, int cpu)
{
	int n, status;
	pid_t pid;
	long max;

	EXPECT_EQ(0, kw_clear(KW_TRACEFS "trace"));
	pid = kw_helper();
	if (!pid)
		hog(s, cpu);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(kw_until(kw_at_rest()));
	max = longest(s, cpu, &n);
	EXPECT_EQ(TASKS, n);
	TH_LOG("longest wait %ld us", max / 1000);
	return max < LIMIT;
}

/* Keeps the CPU from all but its equals, until told. pid: what to tell that it does */
static void keep(struct shared *s, pid_t pid)
{
	__atomic_store_n(&s->pid[0], pid, __ATOMIC_RELAXED);
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
		sched_yield();
	_exit(pid < 0);
}

/* Such a one, with a detached child that dies there */
static void keep_with_child(struct shared *s, int cpu, int gate)
{
	pid_t pid;
	char c;

	fifo(cpu, FIFO);
	pid = kw_child(KW_DETACHED, 0);
	if (!pid)
		_exit(read(gate, &c, 1) < 0);
	keep(s, pid);
}

/* Exits with 0 if it is told, while it sleeps, that the process is gone. */
static void poller(pid_t pid)
{
	struct pollfd p = { .fd = syscall(SYS_pidfd_open, pid, 0) };

	_exit(poll(&p, 1, KW_DEADLINE * 1000) != 1 || !(p.revents & POLLHUP));
}

FIXTURE(hog) {
	int cpu;
	char runtime[256];
	struct shared *shared;
};

FIXTURE_SETUP(hog)
{
	self->cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	if (self->cpu < 1)
		SKIP(_exit(255), "one CPU");
	if (!kw_loaded())
		SKIP(_exit(255), "kwaitd is not loaded");
	/* Away from the hog: who sleeps there on PREEMPT_RT is not woken by its timer. */
	ASSERT_EQ(0, kw_pin(0));
	ASSERT_TRUE(kw_until(kw_at_rest()));
	snprintf(self->runtime, sizeof(self->runtime), "%s", kw_read(RT_RUNTIME));
	ASSERT_EQ(0, kw_write(RT_RUNTIME, "-1"));
	self->shared = kw_shared(sizeof(*self->shared));
}

FIXTURE_TEARDOWN(hog)
{
	EXPECT_EQ(0, kw_write(RT_RUNTIME, self->runtime));
	EXPECT_EQ(0, kw_write(KW_PARAMS "grace_ms", "0"));
	EXPECT_TRUE(kw_until(kw_at_rest()));
}

TEST_F(hog, release)
{
	long stolen = kw_stat("stolen");
	int rounds = 0, good = 0;

	ASSERT_EQ(0, kw_write(EVENT, "1"));
	EXPECT_TRUE(kw_until((rounds++,
			      good += one_round(_metadata, self->shared, self->cpu),
			      good == ROUNDS)));
	EXPECT_EQ(0, kw_write(EVENT, "0"));
	/* The thief counts when it is done. */
	EXPECT_TRUE(kw_until(kw_stat("stolen") == stolen + rounds * TASKS));
}

TEST_F(hog, hangup)
{
	struct shared *s = self->shared;
	pid_t hog, waiter;
	int gate[2], status;

	ASSERT_EQ(0, pipe(gate));
	hog = kw_helper();
	if (!hog)
		keep_with_child(s, self->cpu, gate[0]);
	ASSERT_TRUE(kw_until(__atomic_load_n(&s->pid[0], __ATOMIC_RELAXED)));
	waiter = kw_helper();
	if (!waiter)
		poller(s->pid[0]);
	EXPECT_TRUE(kw_until(kw_proc_state(waiter) == 'S'));
	EXPECT_TRUE(kw_let_die(gate[1]));
	EXPECT_EQ(waiter, waitpid(waiter, &status, 0));
	EXPECT_EQ(0, status);
	s->stop = 1;
	EXPECT_EQ(hog, waitpid(hog, &status, 0));
	EXPECT_EQ(0, status);
}

/* An orphan dies on that CPU, and is a zombie for a while. */
TEST_F(hog, grace)
{
	struct sched_param param = { .sched_priority = FIFO };
	struct shared *s = self->shared;
	struct kw_reaper r;
	pid_t hog, orphan;
	cpu_set_t cpus;
	int status;

	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "100"));
	ASSERT_TRUE(kw_reaper_start(&r, CLONE_NEWPID, NULL));
	ASSERT_EQ(0, kw_adopt(r.pid));
	ASSERT_EQ(1, kw_tell(&r, KW_LIVING, 1));
	orphan = kw_child_of(r.pid);
	ASSERT_GT(orphan, 0);
	CPU_ZERO(&cpus);
	CPU_SET(self->cpu, &cpus);
	ASSERT_EQ(0, sched_setaffinity(orphan, sizeof(cpus), &cpus));
	ASSERT_EQ(0, sched_setscheduler(orphan, SCHED_FIFO, &param));
	hog = kw_helper();
	if (!hog) {
		fifo(self->cpu, FIFO);
		keep(s, getpid());
	}
	ASSERT_TRUE(kw_until(__atomic_load_n(&s->pid[0], __ATOMIC_RELAXED)));
	ASSERT_EQ(0, kill(orphan, SIGUSR1));
	EXPECT_TRUE(kw_until(kw_gone(orphan)));
	s->stop = 1;
	EXPECT_EQ(hog, waitpid(hog, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(KW_EXITED, kw_reaper_stop(&r));
}

TEST_HARNESS_MAIN
