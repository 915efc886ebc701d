/* SPDX-License-Identifier: GPL-2.0 */
/* kselftest's harness, with timeouts for slow machines. Include this one, not its own. */
#ifndef _KWAITD_LIB_HARNESS_H
#define _KWAITD_LIB_HARNESS_H

#include "kselftest_harness.h"

#include "patience.h"

/*
 * The harness kills a test that takes too long. That should happen only to a test that
 * hangs, and not to one that is still within its deadlines, so the timeouts are raised.
 * A test that needs even longer says so with TEST_F_TIMEOUT.
 */
static int kw_harness_run(int argc, char **argv)
{
	struct __fixture_metadata *f;
	struct __test_metadata *t;

	for (f = __fixture_list; f; f = f->next) {
		for (t = f->tests; t; t = t->next) {
			if (t->timeout < 10 * KW_DEADLINE)
				t->timeout = 10 * KW_DEADLINE;
		}
	}
	return test_harness_run(argc, argv);
}

/* TEST_HARNESS_MAIN calls test_harness_run(). */
#define test_harness_run kw_harness_run

#endif /* _KWAITD_LIB_HARNESS_H */
