/* SPDX-License-Identifier: GPL-2.0 */
/* The policy for new containers */
#ifndef _KWAITD_AUTO_H
#define _KWAITD_AUTO_H

#include <linux/types.h>

struct cgroup;
struct task_struct;

extern bool kwaitd_auto_on;	/* is there a policy? */

void kwaitd_auto_fork(struct task_struct *child, struct cgroup *cgrp);
void kwaitd_auto_start(void);
void kwaitd_auto_init(void);
void kwaitd_auto_exit(void);

#endif /* _KWAITD_AUTO_H */
