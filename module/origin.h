/* SPDX-License-Identifier: GPL-2.0 */
/* Whose child an orphan was */
#ifndef _KWAITD_ORIGIN_H
#define _KWAITD_ORIGIN_H

#include <linux/types.h>

struct task_struct;

void kwaitd_origin_note(struct task_struct *child);
void kwaitd_origin_find(struct task_struct *p, pid_t *ppid, char *comm);

#endif /* _KWAITD_ORIGIN_H */
