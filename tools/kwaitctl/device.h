/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/kwaitd, and whether the module is there. A function that fails has said why on
 * stderr, device_list() excepted.
 */
#ifndef _KWAITCTL_DEVICE_H
#define _KWAITCTL_DEVICE_H

#include <stdbool.h>
#include <sys/types.h>

struct kwaitd_adopt;
struct kwaitd_reaper;

bool device_module_loaded(void);
void device_explain_absence(void);
int device_open(void);
int device_pidfd(pid_t pid);
void device_explain(const char *what, pid_t pid);
int device_adoption(unsigned long cmd, const char *what, pid_t pid,
		    struct kwaitd_adopt *arg);
int device_list(int fd, struct kwaitd_reaper **reapers, unsigned int *nr);

#endif /* _KWAITCTL_DEVICE_H */
