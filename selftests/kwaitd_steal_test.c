// SPDX-License-Identifier: GPL-2.0
/*
 * A real-time task that never gives its CPU away keeps kwaitd from running
 * there. What died there is released by another CPU, and none of it later than
 * LIMIT after its death; who polls its pidfd hears of it, and grace times end.
 *
 * LIMIT is in the guest's time, which goes on while the host has the CPUs do
 * something else. So a watch on each CPU that is not hogged, and the hog on its
 * own, look at the clock all the time, and what it jumps is not held against kwaitd.
 * Where that is more than LIMIT nothing can be told, and the round is repeated.
 */
#include "kwaitd_reaper.h"

#include <poll.h>

#define FIFO 50			/* the hog's priority */
#define TASKS 8
#define ROUNDS 5		/* that count, or four times as many */
#define LIMIT 100000000L	/* ns */
#define RT_RUNTIME "/proc/sys/kernel/sched_rt_runtime_us"
#define EVENT KW_TRACEFS "events/kwaitd/kwaitd_reap/enable"

struct shared {
	long hog_jump;		/* ns that the clock has jumped at most, there */
	long watch_jump;	/* and elsewhere */
	int stop;
	pid_t pid[TASKS];
};

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* The largest step between two calls, beyond what the caller slept */
static void jump(long *max, long *last, long slept)
{
	long t = now(), old = __atomic_load_n(max, __ATOMIC_RELAXED);
	long step = t - *last - slept;

	while (step > old && !__atomic_compare_exchange_n(max, &old, step, false,
							  __ATOMIC_RELAXED,
							  __ATOMIC_RELAXED))
		;
	*last = t;
}

static void fifo(int cpu, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (kw_pin(cpu) || sched_setscheduler(0, SCHED_FIFO, &param))
		_exit(1);
}

static void watch(struct shared *s, int cpu)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	long last;

	fifo(cpu, 1);
	for (last = now(); !__atomic_load_n(&s->stop, __ATOMIC_RELAXED);) {
		nanosleep(&ms, NULL);
		jump(&s->watch_jump, &last, ms.tv_nsec);
	}
	_exit(0);
}

/* Exits with 0 if it saw all its detached children go, without ever sleeping. */
static void hog(struct shared *s, int cpu)
{
	char *stack = (char *)kw_stacks(1) + KW_STACK;
	time_t end = time(NULL) + KW_DEADLINE;
	long last;
	int i;

	fifo(cpu, FIFO);
	for (i = 0; i < TASKS; i++) {
		s->pid[i] = clone(kw_thread_exits, stack,
				  CLONE_VM | CLONE_VFORK | CLONE_DETACHED, NULL);
		if (s->pid[i] < 0)
			_exit(2);
	}
	for (i = 0, last = now(); i < TASKS; i++) {
		while (!kw_gone(s->pid[i])) {
			/* only to the children: they are SCHED_FIFO too */
			sched_yield();
			jump(&s->hog_jump, &last, 0);
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

static void start(struct shared *s, int cpu, pid_t *pid)
{
	int i;

	for (i = 0; i < cpu; i++) {
		pid[i] = kw_helper();
		if (!pid[i])
			watch(s, i);
	}
	pid[cpu] = kw_helper();
	if (!pid[cpu])
		hog(s, cpu);
}

/* Return: whether it counts */
static bool one_round(struct __test_metadata *_metadata, struct shared *s, int cpu)
{
	pid_t pid[cpu + 1];
	int i, n, status;
	long max, jumps;

	memset(s, 0, sizeof(*s));
	ASSERT_EQ(0, kw_write(KW_TRACEFS "trace", "\n"));
	start(s, cpu, pid);
	for (i = cpu; i >= 0; i--) {
		EXPECT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
		s->stop = 1;
	}
	ASSERT_TRUE(kw_until(kw_at_rest()));
	max = longest(s, cpu, &n);
	EXPECT_EQ(TASKS, n);
	jumps = s->hog_jump + s->watch_jump;
	EXPECT_TRUE(jumps > LIMIT || max < LIMIT + jumps);
	TH_LOG("longest wait %ld us; the clock jumped %ld us on the CPU, %ld us elsewhere",
	       max / 1000, s->hog_jump / 1000, s->watch_jump / 1000);
	return jumps <= LIMIT;
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

TEST_F_TIMEOUT(hog, release, 120)
{
	long stolen = kw_stat("stolen");
	int i, counted = 0;

	ASSERT_EQ(0, kw_write(EVENT, "1"));
	for (i = 0; i < 4 * ROUNDS && counted < ROUNDS; i++)
		counted += one_round(_metadata, self->shared, self->cpu);
	EXPECT_EQ(0, kw_write(EVENT, "0"));
	EXPECT_LT(0, counted);
	EXPECT_EQ(stolen + i * TASKS, kw_stat("stolen"));
}

TEST_F_TIMEOUT(hog, hangup, 120)
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
TEST_F_TIMEOUT(hog, grace, 120)
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
