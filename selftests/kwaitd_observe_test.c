// SPDX-License-Identifier: GPL-2.0
/*
 * What users see: the files in debugfs contain what programs parse. The tracepoints name
 * the task, its status, and the CPUs where it was queued and reaped; of an orphan also the
 * reaper.
 *
 * If this fails, monitoring breaks, or shows something that is not true.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/ctl.h"
#include "lib/file.h"
#include "lib/kernel.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/reaper.h"
#include "lib/reaper_fixture.h"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

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
	/* The init of a pid namespace */
	pid = kw_fork(CLONE_NEWPID | SIGCHLD);
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

TEST_F(kwaitd, hooks)
{
	FILE *f = fopen(KW_DEBUGFS "hooks", "r");
	char line[256], hook[16], seen[64] = "", wanted[64];
	long armed, hits;

	ASSERT_NE(NULL, f);
	pass_all_hooks();
	ASSERT_NE(NULL, fgets(line, sizeof(line), f));
	while (fscanf(f, "%15s %*s %ld %ld", hook, &armed, &hits) == 3) {
		EXPECT_EQ(1, armed) TH_LOG("%s", hook);
		EXPECT_LT(0, hits) TH_LOG("%s", hook);
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), " %s", hook);
	}
	fclose(f);
	/* What the kernel does itself needs none: module/compat.h */
	snprintf(wanted, sizeof(wanted), " fork release notify%s%s%s end",
		 kw_kernel_since(7, 3) ? "" : " detach", kw_native() ? "" : " clone3",
		 kw_kernel_since(6, 9) ? "" : " poll");
	EXPECT_STREQ(wanted, seen);
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

	ASSERT_EQ(0, kw_clear(KW_TRACEFS "trace"));
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

#define CGROUP "/sys/fs/cgroup/kwaitd_test"

struct orphan {
	pid_t pid, parent;
	long ns_pid;		/* its number in the reaper's namespace */
	struct stat cgroup;
};

/* One that lives, in a cgroup of its own, born of a process that has died */
static bool orphan_make(struct kw_reaper *reaper, struct kw_reaper *parent,
			struct orphan *o)
{
	long ns_parent = kw_tell(reaper, KW_SPAWN, 0);
	char pid[16];

	o->parent = kw_child_of(reaper->pid);
	o->ns_pid = kw_tell(parent, KW_CHILD, KW_BY_FORK);
	o->pid = kw_child_of(o->parent);
	snprintf(pid, sizeof(pid), "%d", o->pid);
	return o->ns_pid > 0 && o->pid > 0 && o->ns_pid != o->pid &&
	       !mkdir(CGROUP, 0755) && !stat(CGROUP, &o->cgroup) &&
	       !kw_write(CGROUP "/cgroup.procs", pid) &&
	       kw_send(parent, KW_EXIT, 0, 0) &&
	       kw_tell(reaper, KW_WAIT, ns_parent) == ns_parent;
}

/*
 * What becomes of an orphan with these parameters: the line of that event, which says
 * what all do.
 */
static const char *orphan_traced(struct __test_metadata *_metadata,
				 struct kw_reaper *reaper, struct kw_reaper *parent,
				 const char *offload, const char *grace_ms,
				 const char *event)
{
	char wanted[128];
	struct orphan o;
	const char *line;

	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", grace_ms));
	ASSERT_EQ(0, kw_adopt(reaper->pid));
	ASSERT_TRUE(orphan_make(reaper, parent, &o));
	ASSERT_EQ(0, kw_clear(KW_TRACEFS "trace"));
	ASSERT_EQ(0, kw_write(KW_TRACEFS "events/kwaitd/enable", "1"));
	ASSERT_EQ(0, kw_write(KW_PARAMS "offload", offload));
	EXPECT_EQ(0, kill(o.pid, SIGUSR1));
	if (atoi(grace_ms)) {
		EXPECT_TRUE(kw_until(kw_proc_state(o.pid) == 'Z'));
		EXPECT_EQ(1, kw_reap(reaper->pid, 0, 0));
	}
	EXPECT_TRUE(kw_until(kw_gone(o.pid) && kw_at_rest()));
	EXPECT_EQ(0, kw_write(KW_PARAMS "offload", "detached"));
	EXPECT_EQ(0, kw_write(KW_TRACEFS "events/kwaitd/enable", "0"));
	EXPECT_TRUE(kw_until(rmdir(CGROUP) == 0));

	line = traced(event, o.pid, "comm=kw-inner exit_code=0x700 ");
	ASSERT_NE(NULL, strstr(line, "orphan="));
	snprintf(wanted, sizeof(wanted),
		 "orphan=1 ppid=%d pcomm=kw-inner ns_pid=%ld cgroup=%llu\n", o.parent,
		 o.ns_pid, (unsigned long long)o.cgroup.st_ino);
	EXPECT_STREQ(wanted, strstr(line, "orphan="));
	return line;
}

static long waited(const char *line)
{
	const char *p = strstr(line, "latency=");

	return p ? atol(p + strlen("latency=")) : -1;
}

TEST_F(reaper, orphan_queued)
{
	const char *line = orphan_traced(_metadata, &self->r, &self->inner, "detached", "0",
					 "kwaitd_reap:");

	EXPECT_LT(0, waited(line));
}

TEST_F(reaper, orphan_swept)
{
	const char *line = orphan_traced(_metadata, &self->r, &self->inner, "detached",
					 "3600000", "kwaitd_reap:");

	EXPECT_EQ(0, waited(line));
}

TEST_F(reaper, orphan_inline)
{
	const char *line = orphan_traced(_metadata, &self->r, &self->inner, "none", "0",
					 "kwaitd_inline:");

	EXPECT_NE(NULL, strstr(line, " reason=inline_offload "));
}

TEST_HARNESS_MAIN
