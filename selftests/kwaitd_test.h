/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What most tests begin with: the harness and the fixtures. A test includes what else
 * it needs from lib/, where each header is for one thing:
 *
 *   patience.h		how long to wait, and how much to do
 *   file.h		files of one line, and where they are
 *   kernel.h		what the running kernel has
 *   module.h		load and unload the module
 *   counters.h		what the module has counted
 *   ctl.h		commands of /dev/kwaitd
 *   cpu.h		pin a task to a CPU
 *   clone.h		create a child of each kind
 *   thread.h		create threads
 *   team.h		create a process of several threads
 *   proc.h		what there is to see of one task
 *   tasks.h		search all tasks
 *   end.h		how a child of each kind ends
 *   reaper.h		a reaper that obeys the test; reaper_*.h are parts of it
 *   harness.h		kselftest's harness, with more patience
 *   fixtures.h		the fixtures kwaitd and child
 *   reaper_fixture.h	the fixture reaper
 */
#ifndef _KWAITD_TEST_H
#define _KWAITD_TEST_H

#include "lib/harness.h"
#include "lib/fixtures.h"

#endif /* _KWAITD_TEST_H */
