/* SPDX-License-Identifier: GPL-2.0 */
/* Where the kernel's code is left, and come back to */
#ifndef _KWAITD_HOOKS_H
#define _KWAITD_HOOKS_H

#include <linux/types.h>

struct kwaitd_hook;
struct seq_file;

/* hooks_birth.c */
extern struct kwaitd_hook kwaitd_hook_on_fork;
extern struct kwaitd_hook kwaitd_hook_on_clone3;

/* hooks_exit.c */
extern struct kwaitd_hook kwaitd_hook_on_notify;
extern struct kwaitd_hook kwaitd_hook_on_detach;
extern struct kwaitd_hook kwaitd_hook_on_poll;
extern struct kwaitd_hook kwaitd_hook_on_release;
extern struct kwaitd_hook kwaitd_hook_on_end;

int kwaitd_hooks_init(void);
void kwaitd_hooks_exit(void);
void kwaitd_hooks_show(struct seq_file *m);
const char *kwaitd_hooks_silent(void);
bool kwaitd_hooks_clone3(void);

#endif /* _KWAITD_HOOKS_H */
