// SPDX-License-Identifier: GPL-2.0
/*
 * Thousands of detached processes and threads die as fast as several creators can create
 * them, amid ordinary children. None is lost, none is released twice, and the creators
 * have counted the same as the module.
 *
 * If this fails, dead tasks remain under load, or the kernel crashes.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/file.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/thread.h"

#include <dirent.h>
#include <sched.h>

#define CREATORS 4
/* processes and as many threads, per creator: more than twice max_backlog */
#define EACH kw_amount(600, 2500)
#define ORDINARY 100	/* ordinary children, per creator */

/* Exits with 0 if all it made was as it should be. */
static void create(void)
{
	enum { SLOTS = 32 };
	void *stacks = kw_stacks(SLOTS + 1);
	volatile pid_t tid[SLOTS] = {};
	int i, slot = 0, status;
	pid_t pid;

	for (i = 0; i < EACH; i++) {
		if (clone(kw_thread_exits, stacks + (SLOTS + 1) * KW_STACK,
			  CLONE_VM | CLONE_VFORK | CLONE_DETACHED, NULL) < 0)
			_exit(1);
		while (tid[slot])
			slot = (slot + 1) % SLOTS;
		tid[slot] = -1;
		if (kw_thread(kw_thread_exits, stacks + slot * KW_STACK, NULL,
			      (pid_t *)&tid[slot]) < 0)
			_exit(2);
		if (i % (EACH / ORDINARY))
			continue;
		pid = fork();
		if (!pid)
			_exit(i & 127);
		if (waitpid(pid, &status, 0) != pid ||
		    WEXITSTATUS(status) != (i & 127))
			_exit(3);
	}
	for (slot = 0; slot < SLOTS; slot++) {
		while (tid[slot])
			usleep(100);
	}
	_exit(0);
}

/* Zombies in /proc, whoever's */
static int zombies(void)
{
	struct dirent *d;
	DIR *proc = opendir("/proc");
	int n = 0;

	while ((d = readdir(proc))) {
		if (atoi(d->d_name) && kw_proc_state(atoi(d->d_name)) == 'Z')
			n++;
	}
	closedir(proc);
	return n;
}

static void storm(struct __test_metadata *_metadata)
{
	long threads = kw_stat("marked_threads");
	long processes = kw_stat("marked_processes");
	long inlined = kw_inline(), failed = kw_stat("mark_failed");
	long unaccounted = kw_unaccounted(), queued = kw_queued();
	int i, status, before = zombies();
	pid_t pid[CREATORS];

	for (i = 0; i < CREATORS; i++) {
		pid[i] = kw_helper();
		if (!pid[i])
			create();
	}
	for (i = 0; i < CREATORS; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_TRUE(kw_until(kw_unaccounted() == unaccounted));
	EXPECT_TRUE(kw_until(kw_at_rest()));
	EXPECT_EQ(threads + CREATORS * EACH, kw_stat("marked_threads"));
	EXPECT_EQ(processes + CREATORS * EACH, kw_stat("marked_processes"));
	EXPECT_EQ(failed, kw_stat("mark_failed"));
	EXPECT_EQ(0, kw_stat("live_marks"));
	EXPECT_EQ(before, zombies());
	TH_LOG("queued %ld, released inline %ld, wakeups %ld, backlog_max %ld",
	       kw_queued() - queued, kw_inline() - inlined,
	       kw_stat("wakeups"), kw_stat("backlog_max"));
}

TEST_F(kwaitd, nothing_lost)
{
	storm(_metadata);
}

/* The same with many in the queues at a time */
TEST_F(kwaitd, nothing_lost_in_batches)
{
	ASSERT_EQ(0, kw_write(KW_PARAMS "batch", "4096"));
	storm(_metadata);
}

TEST_HARNESS_MAIN
