// SPDX-License-Identifier: GPL-2.0
/*
 * What there is to see: the files in debugfs have what their users parse, and
 * the tracepoints name the task, its status, where it was queued and where
 * reaped.
 */
#include "kwaitd_test.h"

#include <poll.h>
#include <sys/ptrace.h>

TEST_F(kwaitd, stats)
{
	static const char * const names[] = {
		"marked_threads", "marked_processes", "live_marks",
		"mark_failed", "queued_threads", "queued_processes",
		"queued_orphans", "reaped", "backlog", "backlog_max",
		"exit_records",
		"wakeups", "stolen",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		EXPECT_LE(0, kw_stat(names[i]));
	EXPECT_EQ(-1, kw_stat("no_such_counter"));
}

TEST_F(kwaitd, per_cpu_adds_up)
{
	static const char * const names[] = { "queued_processes", "reaped",
		"wakeups", "inline_kernel" };
	int cpu, cpus = sysconf(_SC_NPROCESSORS_CONF);
	unsigned int i;
	long sum;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		for (sum = 0, cpu = 0; cpu < cpus; cpu++)
			sum += kw_cpu_stat(cpu, names[i]);
		EXPECT_EQ(kw_stat(names[i]), sum);
	}
}

TEST_F(kwaitd, latency_counts_every_release)
{
	long from, last = 0, n, sum = 0, ns = 0;
	pid_t pid = kw_fork(CLONE_DETACHED);
	char line[64];
	FILE *f;

	if (!pid)
		_exit(0);
	ASSERT_TRUE(kw_until(kw_gone(pid) && kw_at_rest()));
	f = fopen(KW_DEBUGFS "latency", "r");
	ASSERT_NE(NULL, f);
	ASSERT_NE(NULL, fgets(line, sizeof(line), f));
	EXPECT_STREQ("ns_from count\n", line);
	while (fscanf(f, "%ld %ld", &from, &n) == 2) {
		EXPECT_LT(last, from);
		last = from;
		sum += n;
		ns += from * n;
	}
	fclose(f);
	EXPECT_EQ(kw_stat("reaped"), sum);
	/* A bucket ends at twice where it begins. */
	EXPECT_LT(0, ns);
	EXPECT_LE(ns, kw_stat("reaped_ns"));
	EXPECT_GT(2 * ns, kw_stat("reaped_ns"));
}

/* Do once what each hook is in the way of. */
static void pass_all_hooks(void)
{
	struct pollfd p = {};
	struct clone_args args = {
		.flags = CLONE_PIDFD, .exit_signal = SIGCHLD,
		.pidfd = (unsigned long)&p.fd,
	};
	pid_t pid = kw_clone3(&args);

	if (!pid) {
		for (;;)
			pause();
	}
	poll(&p, 1, 0);
	ptrace(PTRACE_ATTACH, pid, NULL, NULL);
	waitpid(pid, NULL, __WALL);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(p.fd);
}

TEST_F(kwaitd, hooks)
{
	FILE *f = fopen(KW_DEBUGFS "hooks", "r");
	char line[256], symbol[64];
	long armed, hits;
	int n = 0;

	ASSERT_NE(NULL, f);
	pass_all_hooks();
	ASSERT_NE(NULL, fgets(line, sizeof(line), f));
	while (fscanf(f, "%*s %63s %ld %ld", symbol, &armed, &hits) == 3) {
		EXPECT_EQ(1, armed);
		EXPECT_LT(0, hits);
		n++;
	}
	fclose(f);
	EXPECT_LE(2, n);
}

/* The line of the trace that has all three strings; "" if there is none */
static const char *traced(const char *event, pid_t pid, const char *what)
{
	static char line[512];
	FILE *f = fopen(KW_TRACEFS "trace", "r");
	bool found = false;
	char key[32];

	snprintf(key, sizeof(key), "pid=%d tgid", pid);
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, event) && strstr(line, key) &&
			strstr(line, what);
	if (f)
		fclose(f);
	return found ? line : "";
}

TEST_F(kwaitd, tracepoints)
{
	long queue_cpu = -1, reap_cpu = -1, latency = -1;
	const char *line;
	pid_t pid, none;
	int n;

	ASSERT_EQ(0, kw_write(KW_TRACEFS "trace", "\n"));
	ASSERT_EQ(0, kw_write(KW_TRACEFS "events/kwaitd/enable", "1"));
	pid = kw_fork(CLONE_DETACHED);
	if (!pid)
		_exit(5);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	kw_write(KW_PARAMS "max_backlog", "0");
	none = kw_fork(CLONE_DETACHED);
	if (!none)
		_exit(6);
	EXPECT_TRUE(kw_until(kw_gone(none)));
	EXPECT_EQ(0, kw_write(KW_TRACEFS "events/kwaitd/enable", "0"));

	EXPECT_STRNE("", traced("kwaitd_mark", pid, "kind=process ok=1"));
	EXPECT_STRNE("", traced("kwaitd_queue", pid, "exit_code=0x500"));
	line = traced("kwaitd_reap", pid, "exit_code=0x500");
	ASSERT_NE(NULL, strstr(line, "queue_cpu="));
	n = sscanf(strstr(line, "queue_cpu="),
		   "queue_cpu=%ld reap_cpu=%ld latency=%ld",
		   &queue_cpu, &reap_cpu, &latency);
	EXPECT_EQ(3, n);
	EXPECT_EQ(queue_cpu, reap_cpu);
	EXPECT_LT(0, latency);
	EXPECT_STRNE("", traced("kwaitd_inline", none, "reason=inline_backlog"));
	EXPECT_STREQ("", traced("kwaitd_queue", none, ""));
}

TEST_HARNESS_MAIN
