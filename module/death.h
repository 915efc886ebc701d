/* SPDX-License-Identifier: GPL-2.0 */
/* What the death of a task means */
#ifndef _KWAITD_DEATH_H
#define _KWAITD_DEATH_H

#include <linux/types.h>

#include "defer.h"

struct task_struct;

bool kwaitd_death_decide(struct task_struct *p);
enum kwaitd_kind kwaitd_death_kind(struct task_struct *p);
void kwaitd_death_of_other(struct task_struct *p);

#endif /* _KWAITD_DEATH_H */
