// SPDX-License-Identifier: GPL-2.0
/*
 * How long who waits for a process waits for its dead threads, too: from its last act until
 * the other knows. The threads were created detached, and die just before. Meanwhile hogs
 * keep the CPUs busy.
 *
 * Each round measures offload=none, offload=detached, and none once more, as a control: what
 * two measurements of the same differ by is noise.
 */
#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <time.h>

#include "../../../selftests/lib/cpu.h"
#include "../../../selftests/lib/file.h"
#include "../../../selftests/lib/patience.h"
#include "../../../selftests/lib/thread.h"

#define DEAD 12			/* threads or processes that die just before */
#define BUSY 40000000L		/* ns that a real-time hog keeps its CPU at a time */

/* Shared with the process that is waited for */
static struct {
	int dead;
	double at;		/* seconds: its last act */
} *shared;

static int gate[2], over[2];	/* over: closed by execve() */

/* Blocks until the gate is closed, and dies. */
static int dies(void *arg)
{
	char c;

	syscall(SYS_read, gate[0], &c, 1);
	__atomic_add_fetch(&shared->dead, 1, __ATOMIC_RELEASE);
	syscall(SYS_exit, 0);
	return 0;
}

static void threads(unsigned int n, int (*fn)(void *))
{
	char *stacks = kw_stacks(n);
	pid_t tid;

	while (n--)
		need(kw_thread(fn, stacks + n * KW_STACK, NULL, &tid) > 0);
}

/* Those that are to die do. */
static void open_gate(void)
{
	close(gate[1]);
	while (__atomic_load_n(&shared->dead, __ATOMIC_ACQUIRE) < DEAD)
		usleep(200);
	shared->at = seconds();
}

static void exits(void)
{
	threads(DEAD, dies);
	open_gate();
	syscall(SYS_exit, 0);
}

static void execs(void)
{
	static char *const argv[] = { "true", NULL };

	threads(DEAD, dies);
	threads(2, kw_thread_waits);
	open_gate();
	execv("/bin/true", argv);
	_exit(1);
}

static void init_exits(void)
{
	pid_t pid;
	int i;

	for (i = 0; i < DEAD; i++) {
		pid = syscall(SYS_clone, CLONE_DETACHED, NULL, NULL, NULL, 0);
		need(pid >= 0);
		if (!pid) {
			close(gate[1]);
			dies(NULL);
		}
	}
	open_gate();
	_exit(0);
}

static void waits(pid_t pid)
{
	siginfo_t info;

	need(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT | __WALL));
}

static void polls(pid_t pid)
{
	struct pollfd p = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };

	need(poll(&p, 1, -1) == 1);
	close(p.fd);
}

static void reads(pid_t pid)
{
	char c;

	close(over[1]);
	need(!read(over[0], &c, 1));
}

static const struct waiter {
	const char *name;
	unsigned long flags;
	void (*life)(void);
	void (*wait)(pid_t pid);	/* until it knows */
} waiters[] = {
	{ "wait4", 0, exits, waits },
	{ "pidfd", 0, exits, polls },
	{ "execve", 0, execs, reads },
	{ "pid_ns", CLONE_NEWPID, init_exits, waits },
};

static const struct setting none = { .offload = "none" };
static const struct setting detached = { .offload = "detached" };
static const struct {
	const char *name;
	const struct setting *set;
} settings[] = {
	{ "none", &none }, { "detached", &detached }, { "control", &none },
};

static double one_wait(const struct waiter *w)
{
	int status;
	double us;
	pid_t pid;

	shared->dead = 0;
	need(!pipe(gate) && !pipe2(over, O_CLOEXEC));
	pid = syscall(SYS_clone, w->flags | SIGCHLD, NULL, NULL, NULL, 0);
	need(pid >= 0);
	if (!pid)
		w->life();
	close(gate[0]);
	close(gate[1]);
	w->wait(pid);
	us = (seconds() - shared->at) * 1e6;
	need(waitpid(pid, &status, __WALL) == pid && !status);
	close(over[0]);
	close(over[1]);
	return us;
}

static void hog(bool realtime)
{
	const struct sched_param param = { .sched_priority = 50 };
	struct timespec from, now;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!realtime) {
		for (;;)
			__asm__ volatile("" ::: "memory");
	}
	need(!kw_pin(sysconf(_SC_NPROCESSORS_ONLN) - 1));
	need(!sched_setscheduler(0, SCHED_FIFO, &param));
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		do {
			clock_gettime(CLOCK_MONOTONIC, &now);
		} while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec -
			 from.tv_nsec < BUSY);
		usleep(5000);
	}
}

/* Below which nanoseconds 99 of 100 tasks were released since before, as powers of two */
static double latency_p99(const unsigned long *before)
{
	unsigned long now[NR_LATENCIES], all = 0, sum = 0;
	int i;

	state_latency(now);
	for (i = 0; i < NR_LATENCIES; i++)
		all += now[i] - before[i];
	for (i = 0; i < NR_LATENCIES && sum * 100 < all * 99; i++)
		sum += now[i] - before[i];
	return (double)(1UL << i);
}

static void with_hogs(const char *hogs, int rounds)
{
	bool realtime = !strcmp(hogs, "fifo");
	int n = realtime ? 1 : atoi(hogs), r, i;
	unsigned long before[NR_LATENCIES];
	unsigned int w, s;
	pid_t pid[n];

	for (i = 0; i < n; i++) {
		pid[i] = fork();
		if (!pid[i])
			hog(realtime);
	}
	for (w = 0; w < ARRAY_LEN(waiters); w++) {
		state_latency(before);
		for (r = 0; r < rounds; r++) {
			for (s = 0; s < ARRAY_LEN(settings); s++) {
				state_setting(settings[s].set);
				printf("hogs-%s,%s,%s,%d,us,%.1f\n", hogs,
				       waiters[w].name, settings[s].name, r,
				       one_wait(&waiters[w]));
			}
		}
		need(kw_until(state_at_rest()));
		printf("hogs-%s,%s,detached,0,queued_p99_us,%.1f\n", hogs, waiters[w].name,
		       latency_p99(before) / 1e3);
		fflush(stdout);
	}
	for (i = 0; i < n; i++) {
		kill(pid[i], SIGKILL);
		need(waitpid(pid[i], NULL, 0) == pid[i]);
	}
}

/* ROUNDS HOGS...: how many, or "fifo" for a real-time one */
int mode_waiters(char **arg)
{
	int rounds = atoi(arg[0]);

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(shared != MAP_FAILED);
	need(!kw_write("/proc/sys/kernel/sched_rt_runtime_us", "-1"));
	state_set(LOADED);
	while (*++arg)
		with_hogs(*arg, rounds);
	return 0;
}
