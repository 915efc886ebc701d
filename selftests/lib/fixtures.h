/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two fixtures that most tests use: kwaitd for the module with its default
 * parameters, and child for a child of each kind.
 */
#ifndef _KWAITD_LIB_FIXTURES_H
#define _KWAITD_LIB_FIXTURES_H

#include "harness.h"

#include "clone.h"
#include "counters.h"
#include "end.h"
#include "file.h"
#include "kernel.h"
#include "module.h"
#include "patience.h"
#include "tasks.h"

#define KW_BATCH "16"		/* the default */

/*
 * Each test begins with the default parameters, and begins and ends with nothing in
 * the queues: all that was queued has been released.
 */
FIXTURE(kwaitd) {
	long queued;
};

FIXTURE_SETUP(kwaitd)
{
	if (!kw_loaded())
		SKIP(_exit(255), "kwaitd is not loaded");
	ASSERT_EQ(0, kw_write(KW_PARAMS "offload", "detached"));
	ASSERT_EQ(0, kw_write(KW_PARAMS "batch", KW_BATCH));
	ASSERT_EQ(0, kw_write(KW_PARAMS "max_backlog", "256"));
	ASSERT_TRUE(kw_until(kw_at_rest()));
	self->queued = kw_queued();
}

FIXTURE_TEARDOWN(kwaitd)
{
	if (!kw_loaded())
		return;
	kw_write(KW_PARAMS "offload", "detached");
	kw_write(KW_PARAMS "batch", KW_BATCH);
	kw_write(KW_PARAMS "max_backlog", "256");
	EXPECT_TRUE(kw_until(kw_at_rest()));
}

/* Without the module too, where the kernel has CLONE_AUTOREAP, but for what it has not */
static inline bool kw_kind_possible(enum kw_kind kind)
{
	return kw_loaded() || (kw_native() && kind != KW_DETACHED);
}

/*
 * Each test runs once for each kind of child. Where the kernel has its own
 * CLONE_AUTOREAP the tests also run without the module: then they say what is expected
 * of the kernel. In the end no dead task and no mark is left.
 */
FIXTURE(child) {
	bool loaded;
};

FIXTURE_VARIANT(child) {
	enum kw_kind kind;
};

FIXTURE_VARIANT_ADD(child, ordinary) { .kind = KW_ORDINARY };
FIXTURE_VARIANT_ADD(child, detached) { .kind = KW_DETACHED };
FIXTURE_VARIANT_ADD(child, autoreap) { .kind = KW_AUTOREAP };

FIXTURE_SETUP(child)
{
	self->loaded = kw_loaded();
	/* Status 255 is a skip for the harness. After a return it would run the test. */
	if (!kw_kind_possible(variant->kind))
		SKIP(_exit(255), "kwaitd is not loaded");
	if (self->loaded) {
		ASSERT_EQ(0, kw_write(KW_PARAMS "offload", "detached"));
		ASSERT_EQ(0, kw_write(KW_PARAMS "batch", KW_BATCH));
		ASSERT_TRUE(kw_until(kw_at_rest()));
	}
	ASSERT_TRUE(kw_until(kw_dead_tasks() == 0));
}

FIXTURE_TEARDOWN(child)
{
	/* After a failure do not wait: what is left over is killed with the test. */
	if (!_metadata->passed)
		return;
	EXPECT_TRUE(kw_until(kw_dead_tasks() == 0));
	if (!self->loaded)
		return;
	EXPECT_TRUE(kw_until(kw_at_rest()));
	EXPECT_TRUE(kw_until(kw_stat("live_marks") == 0));
}

/*
 * As kw_ends(), with SIGCHLD blocked: an ordinary child sends it and ends with the
 * expected wait status. Return: false if the child ended otherwise, after the failed
 * expectation has been printed
 */
static inline bool kw_expect_end(struct __test_metadata *_metadata,
				 enum kw_kind kind, pid_t pid, int expected)
{
	bool ordinary = kind == KW_ORDINARY;
	int status = 0, wanted = ordinary ? expected : 0;
	bool ended = kw_ends(kind, pid, &status);
	bool signalled = kw_took_sigchld();

	EXPECT_TRUE(ended);
	EXPECT_EQ(ordinary, signalled);
	EXPECT_EQ(wanted, status);
	return ended && signalled == ordinary && status == wanted;
}

#endif /* _KWAITD_LIB_FIXTURES_H */
