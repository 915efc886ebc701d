/* SPDX-License-Identifier: GPL-2.0 */
/* What can be found out about the module. */
#ifndef _KWAITCTL_STATUS_READ_H
#define _KWAITCTL_STATUS_READ_H

#include <linux/kwaitd.h>
#include <stdbool.h>
#include <stddef.h>

#include "debugfs.h"

struct dirent;

struct hook {
	char name[16];
	char symbol[64];
	int armed;
	unsigned long hits;
};

struct status {
	struct kwaitd_version version;
	bool has_version;
	struct dirent **params;
	int nr_params;		/* -1: the kernel shows none */
	struct stats stats;
	bool has_stats;
	unsigned int adopted;
	bool has_adopted;
	struct hook hooks[16];
	unsigned int nr_hooks;
};

bool status_read(struct status *s);
void status_free(struct status *s);
void status_read_param(const char *name, char *buf, size_t size);
unsigned int status_disarmed(const struct status *s);

#endif /* _KWAITCTL_STATUS_READ_H */
