/* SPDX-License-Identifier: GPL-2.0 */
/* Orphans that their adopted reaper may still wait for */
#ifndef _KWAITD_GRACE_H
#define _KWAITD_GRACE_H

#include "adopt.h"

struct task_struct;

/* The parameter; read with READ_ONCE(). 0: there is no grace */
extern unsigned int kwaitd_grace_ms;

void kwaitd_grace_begin(struct task_struct *p, struct kwaitd_adoption *a);
unsigned long kwaitd_grace_count(void);
void kwaitd_grace_init(void);
void kwaitd_grace_exit(void);

#endif /* _KWAITD_GRACE_H */
