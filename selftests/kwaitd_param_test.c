// SPDX-License-Identifier: GPL-2.0
/*
 * The parameters: each changes what it should, and a bad value changes nothing.
 *
 * If this fails, a setting has no effect, or a typing error has one.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/file.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/thread.h"

#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

static pid_t detached_process(void)
{
	pid_t pid = kw_fork(CLONE_DETACHED);

	if (!pid)
		_exit(0);
	return pid;
}

TEST_F(kwaitd, offload_none)
{
	long inlined = kw_stat("inline_offload");
	pid_t tid = -1, pid;

	ASSERT_EQ(0, kw_write(KW_PARAMS "offload", "none"));
	EXPECT_STREQ("none", kw_read(KW_PARAMS "offload"));
	pid = detached_process();
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	ASSERT_LT(0, kw_thread(kw_thread_exits, kw_stacks(1), NULL, &tid));
	EXPECT_TRUE(kw_until(kw_stat("inline_offload") == inlined + 2));
	EXPECT_EQ(self->queued, kw_queued());
}

TEST_F(kwaitd, offload_all)
{
	long threads, processes;
	pid_t tid = -1, pid;

	ASSERT_EQ(0, kw_write(KW_PARAMS "offload", "all"));
	threads = kw_stat("queued_threads");
	processes = kw_stat("queued_processes");
	ASSERT_TRUE(kw_company(2));

	/* a thread as glibc makes it */
	ASSERT_LT(0, clone(kw_thread_exits, (char *)kw_stacks(1) + KW_STACK,
			   CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			   CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID,
			   NULL, NULL, NULL, &tid));
	EXPECT_TRUE(kw_until(kw_stat("queued_threads") == threads + 1));

	/* a process that the kernel itself reaps */
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (!pid)
		_exit(0);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	EXPECT_TRUE(kw_until(kw_stat("queued_processes") == processes + 1));

	/* but not one that is waited for */
	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (!pid)
		_exit(0);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(processes + 1, kw_stat("queued_processes"));
}

/* io_uring's threads are the kernel's own, in all but name. */
TEST_F(kwaitd, offload_all_but_workers)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SQPOLL };
	long inlined = kw_stat("inline_kernel");
	int ring;

	ASSERT_EQ(0, kw_write(KW_PARAMS "offload", "all"));
	ring = syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0)
		SKIP(return, "no io_uring");
	close(ring);
	EXPECT_TRUE(kw_until(kw_stat("inline_kernel") > inlined));
	EXPECT_EQ(self->queued, kw_queued());
}

TEST_F(kwaitd, bad_values)
{
	static const struct {
		const char *name, *good, *bad[6];
	} params[] = {
		{ KW_PARAMS "offload", "all", { "\n", "al", "alll", "2", "-1" } },
		{ KW_PARAMS "batch", "7", { "\n", "0", "4097", "-1", "x" } },
		{ KW_PARAMS "max_backlog", "9", { "\n", "65537", "-1", "1x" } },
	};
	unsigned int i, j;

	for (i = 0; i < sizeof(params) / sizeof(*params); i++) {
		ASSERT_EQ(0, kw_write(params[i].name, params[i].good));
		for (j = 0; params[i].bad[j]; j++) {
			EXPECT_EQ(EINVAL, kw_write(params[i].name,
						   params[i].bad[j]));
			EXPECT_STREQ(params[i].good, kw_read(params[i].name));
		}
	}
}

TEST_F(kwaitd, max_backlog)
{
	long inlined = kw_stat("inline_backlog");
	pid_t pid;

	ASSERT_EQ(0, kw_write(KW_PARAMS "max_backlog", "0"));
	pid = detached_process();
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	EXPECT_EQ(inlined + 1, kw_stat("inline_backlog"));
	EXPECT_EQ(self->queued, kw_queued());
}

/* Fewer than a batch are not forgotten. */
TEST_F(kwaitd, batch)
{
	long comers = kw_stat("wakeups") + kw_stat("stolen");
	pid_t pid[8];
	int i;

	ASSERT_EQ(0, kw_write(KW_PARAMS "batch", "4096"));
	for (i = 0; i < 8; i++)
		pid[i] = detached_process();
	for (i = 0; i < 8; i++)
		EXPECT_TRUE(kw_until(kw_gone(pid[i])));
	EXPECT_EQ(self->queued + 8, kw_queued());
	/* If kwaitd was late, another CPU came. */
	EXPECT_TRUE(kw_until(kw_stat("wakeups") + kw_stat("stolen") > comers));
}

TEST_HARNESS_MAIN
