/* SPDX-License-Identifier: GPL-2.0 */
/* On which CPU a task runs. */
#ifndef _KWAITD_LIB_CPU_H
#define _KWAITD_LIB_CPU_H

#include <sched.h>

static inline int kw_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

#endif /* _KWAITD_LIB_CPU_H */
