/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture reaper: a reaper that obeys the test, and the module with the default
 * parameters of adoption.
 */
#ifndef _KWAITD_LIB_REAPER_FIXTURE_H
#define _KWAITD_LIB_REAPER_FIXTURE_H

#include "harness.h"

#include "clone.h"
#include "counters.h"
#include "file.h"
#include "module.h"
#include "patience.h"
#include "reaper.h"
#include "tasks.h"

/* In the end all tasks are gone, and the module has forgotten the reaper. */
FIXTURE(reaper) {
	struct kw_reaper r, inner;
};

FIXTURE_SETUP(reaper)
{
	if (!kw_loaded())
		SKIP(_exit(255), "kwaitd is not loaded");
	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "0"));
	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "off"));
	ASSERT_TRUE(kw_until(kw_at_rest() && kw_dead_tasks() == 0));
	ASSERT_TRUE(kw_reaper_start(&self->r, CLONE_NEWPID, &self->inner));
}

FIXTURE_TEARDOWN(reaper)
{
	kw_write(KW_PARAMS "grace_ms", "0");
	kw_write(KW_PARAMS "auto_adopt", "off");
	EXPECT_EQ(KW_EXITED, kw_reaper_stop(&self->r));
	close(self->inner.fd);
	EXPECT_TRUE(kw_until(kw_at_rest() && kw_dead_tasks() == 0));
	/* Every ten seconds the module looks for reapers that have died. */
	EXPECT_TRUE(kw_until(kw_stat("adopted") == 0));
	EXPECT_TRUE(kw_until(kw_stat("own_children") == 0));
}

#endif /* _KWAITD_LIB_REAPER_FIXTURE_H */
