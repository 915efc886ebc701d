/* SPDX-License-Identifier: GPL-2.0 */
/* What the running kernel has, by its version. */
#ifndef _KWAITD_LIB_KERNEL_H
#define _KWAITD_LIB_KERNEL_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/utsname.h>

static inline bool kw_kernel_since(int major, int minor)
{
	struct utsname name;
	int a = 0, b = 0;

	return !uname(&name) && sscanf(name.release, "%d.%d", &a, &b) == 2 &&
	       (a > major || (a == major && b >= minor));
}

/* Does this kernel have its own CLONE_AUTOREAP? */
static inline bool kw_native(void)
{
	return kw_kernel_since(7, 1);
}

#endif /* _KWAITD_LIB_KERNEL_H */
