/* SPDX-License-Identifier: GPL-2.0 */
/* How detached processes ended, for those who hold a pidfd and ask */
#ifndef _KWAITD_STATUS_H
#define _KWAITD_STATUS_H

#include <linux/types.h>

struct task_struct;

void kwaitd_status_watch(void);
bool kwaitd_status_release(struct task_struct *leader);
void kwaitd_status_init(void);
void kwaitd_status_exit(void);

#endif /* _KWAITD_STATUS_H */
