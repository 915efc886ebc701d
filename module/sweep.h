/* SPDX-License-Identifier: GPL-2.0 */
/* The sweep: all zombies of an adopted reaper, because somebody asked for it */
#ifndef _KWAITD_SWEEP_H
#define _KWAITD_SWEEP_H

#include <linux/types.h>

struct pid;

int kwaitd_sweep(struct pid *reaper, u64 min_age, bool dry_run, u32 *nr);

#endif /* _KWAITD_SWEEP_H */
