// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks that died on one CPU are released in the order of their deaths, also when kwaitd
 * finds many in its queue. The tracepoints tell the order.
 *
 * If this fails, a dead task may keep its pid and memory while later ones are released.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/cpu.h"
#include "lib/file.h"
#include "lib/patience.h"
#include "lib/thread.h"

#include <sched.h>

#define TASKS 64

/* The nth pid that an event named in the trace; 0 if there are not as many */
static int pids_of(const char *event, int *pid, int max, int *max_backlog)
{
	FILE *f = fopen(KW_TRACEFS "trace", "r");
	char line[512], *field;
	int n = 0, backlog;

	while (f && n < max && fgets(line, sizeof(line), f)) {
		field = strstr(line, event);
		if (!field)
			continue;
		if (sscanf(field + strlen(event), ": pid=%d", &pid[n]) == 1)
			n++;
		field = strstr(field, "backlog=");
		if (field && sscanf(field, "backlog=%d", &backlog) == 1 &&
		    backlog > *max_backlog)
			*max_backlog = backlog;
	}
	if (f)
		fclose(f);
	return n;
}

/* Return: how many there were in the queue at a time */
static int queue_all(struct __test_metadata *_metadata)
{
	int queued[TASKS], reaped[TASKS], backlog = 0, i, n;
	long unaccounted = kw_unaccounted();
	void *stack = kw_stacks(1);

	EXPECT_EQ(0, kw_clear(KW_TRACEFS "trace"));
	EXPECT_EQ(0, kw_write(KW_TRACEFS "events/kwaitd/enable", "1"));
	for (i = 0; i < TASKS; i++) {
		/* CLONE_VFORK: the next is not created before this one dies */
		EXPECT_LT(0, clone(kw_thread_exits, (char *)stack + KW_STACK,
				   CLONE_VM | CLONE_VFORK | CLONE_DETACHED,
				   NULL));
	}
	EXPECT_TRUE(kw_until(kw_unaccounted() == unaccounted));
	EXPECT_TRUE(kw_until(kw_at_rest()));
	kw_write(KW_TRACEFS "events/kwaitd/enable", "0");
	n = pids_of("kwaitd_queue", queued, TASKS, &backlog);
	EXPECT_EQ(TASKS, n);
	EXPECT_EQ(n, pids_of("kwaitd_reap", reaped, TASKS, &backlog));
	for (i = 0; i < n; i++)
		EXPECT_EQ(queued[i], reaped[i]);
	munmap(stack, KW_STACK);
	return backlog;
}

TEST_F(kwaitd, order_of_death)
{
	/* All queued before kwaitd is woken; a tick may come first at times. */
	ASSERT_EQ(0, kw_write(KW_PARAMS "batch", "64"));
	ASSERT_EQ(0, kw_pin(0));
	/* Of less than two there is no order to keep. */
	EXPECT_TRUE(kw_until(queue_all(_metadata) > 1));
}

TEST_HARNESS_MAIN
