/* SPDX-License-Identifier: GPL-2.0 */
/* Adoption, for those that have to do with it: hooks.c, ctl.c, and the others. */
#ifndef _KWAITD_ADOPT_H
#define _KWAITD_ADOPT_H

#include <linux/compiler.h>
#include <linux/types.h>

struct cgroup;
struct kwaitd_adoption;
struct kwaitd_reaper;
struct pid;
struct pid_namespace;
struct task_struct;

/* adopt.c: who is adopted, and whose child is whose */

extern unsigned long kwaitd_adopt_nr;

/*
 * Is anybody? Where nobody is, forks and exits have nothing to ask adopt.c: what it still
 * keeps of own children is of adoptions that have ended, and about to be let go of.
 */
static inline bool kwaitd_adopt_any(void)
{
	return unlikely(READ_ONCE(kwaitd_adopt_nr));
}

int kwaitd_adopt(struct pid *pid, u32 *own, u32 *zombies);
int kwaitd_adopt_end(struct pid *pid);
int kwaitd_adopt_state(struct pid *pid);
bool kwaitd_adopt_show(struct kwaitd_reaper *reaper, u64 *id);
void kwaitd_adopt_fork(struct task_struct *child, struct cgroup *cgrp);
bool kwaitd_adopt_takes(struct task_struct *p);
bool kwaitd_adopt_orphan(struct task_struct *p);
bool kwaitd_adopt_child(struct task_struct *p, struct pid *reaper);
void kwaitd_adopt_released(struct task_struct *leader);
void kwaitd_adopt_swept(struct task_struct *p);
void kwaitd_adopt_grace_over(struct kwaitd_adoption *a);
void kwaitd_adopt_auto(void);
unsigned long kwaitd_adopt_own(void);
void kwaitd_adopt_init(void);
void kwaitd_adopt_exit(void);

/* sweep.c: zombies that nobody waits for */

int kwaitd_sweep(struct pid *reaper, u64 min_age, bool dry_run, u32 *nr);
void kwaitd_sweep_step(struct task_struct *tsk);
bool kwaitd_grace_add(struct task_struct *p, struct kwaitd_adoption *a);
void kwaitd_grace_changed(void);
unsigned long kwaitd_grace_count(void);
void kwaitd_sweep_init(void);
void kwaitd_sweep_exit(void);

/* auto.c: who is adopted from birth */

extern bool kwaitd_auto_on;

bool kwaitd_auto_wants(struct pid_namespace *ns, struct cgroup *cgrp);

/* origin.c: whose child an orphan was */

void kwaitd_origin_note(struct task_struct *child);
void kwaitd_origin_find(struct task_struct *p, pid_t *ppid, char *comm);

/* In a pid namespace; by number, upwards from *nr. RCU */
struct pid *kwaitd_pid_next(struct pid_namespace *ns, int *nr);

#endif /* _KWAITD_ADOPT_H */
