/* SPDX-License-Identifier: GPL-2.0 */
/* The module itself: is it loaded, and how to load and unload it. */
#ifndef _KWAITD_LIB_MODULE_H
#define _KWAITD_LIB_MODULE_H

#include "file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline bool kw_loaded(void)
{
	return access(KW_DEBUGFS "stats", R_OK) == 0;
}

/*
 * Load the module from the file that KWAITD_KO names. Without KWAITD_KO, modprobe looks
 * for it. Return: 0 if the module is loaded. With KWAITD_KO errno says why it is not.
 */
static inline int kw_load(const char *params)
{
	const char *ko = getenv("KWAITD_KO");
	char command[128];
	int fd, ret;

	if (!ko) {
		snprintf(command, sizeof(command), "modprobe kwaitd %s", params);
		return system(command);
	}
	fd = open(ko, O_RDONLY | O_CLOEXEC);
	ret = syscall(SYS_finit_module, fd, params, 0);
	close(fd);
	return ret;
}

/* Return: false, and nothing has changed, if the module is in use */
static inline bool kw_unload(void)
{
	return !syscall(SYS_delete_module, "kwaitd", O_NONBLOCK);
}

#endif /* _KWAITD_LIB_MODULE_H */
