/* SPDX-License-Identifier: GPL-2.0 */
/* Taking zombies from their parent */
#ifndef _KWAITD_ZOMBIE_H
#define _KWAITD_ZOMBIE_H

#include <linux/completion.h>
#include <linux/types.h>

struct task_struct;

/* Interrupts stay off for so many. */
#define KWAITD_ZOMBIES 64

struct kwaitd_zombies {
	struct task_struct *tasks[KWAITD_ZOMBIES];	/* with references */
	unsigned int nr;
	struct completion taken;
};

bool kwaitd_is_zombie(struct task_struct *p);
void kwaitd_zombies_add(struct kwaitd_zombies *z, struct task_struct *p);
void kwaitd_zombies_drop(struct kwaitd_zombies *z);
int kwaitd_zombies_release(struct kwaitd_zombies *z);
void kwaitd_zombies_locked(struct task_struct *tsk);

#endif /* _KWAITD_ZOMBIE_H */
