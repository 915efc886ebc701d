/* SPDX-License-Identifier: GPL-2.0 */
/* Is somebody about to be refused a fork? */
#ifndef _KWAITD_LIMITS_H
#define _KWAITD_LIMITS_H

#include <linux/types.h>

struct task_struct;

bool kwaitd_limits_nproc(struct task_struct *p);
bool kwaitd_limits_pids(struct task_struct *p);
bool kwaitd_limits_pid_max(struct task_struct *p);

#endif /* _KWAITD_LIMITS_H */
