// SPDX-License-Identifier: GPL-2.0
/*
 * The module: loaded and unloaded between rounds, so that what is compared is
 * compared in the same boot.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../selftests/lib/clone.h"
#include "../../../selftests/lib/counters.h"
#include "../../../selftests/lib/file.h"
#include "../../../selftests/lib/kernel.h"
#include "../../../selftests/lib/module.h"
#include "../../../selftests/lib/patience.h"

#include "bench.h"

#define MODULE "/lib/kwaitd.ko"

/* What the module has chosen itself */
static char batch[32], offload[32];

bool state_loaded(void)
{
	return kw_loaded();
}

void state_set(enum state state)
{
	int fd;

	if (state == ABSENT && kw_loaded()) {
		need(kw_until(kw_at_rest()));
		need(kw_until(!syscall(SYS_delete_module, "kwaitd", O_NONBLOCK)));
	} else if (state == LOADED && !kw_loaded()) {
		fd = open(MODULE, O_RDONLY | O_CLOEXEC);
		need(fd >= 0);
		need(!syscall(SYS_finit_module, fd, "", 0));
		close(fd);
		strcpy(batch, kw_read(KW_PARAMS "batch"));
		strcpy(offload, kw_read(KW_PARAMS "offload"));
	}
}

void state_setting(const struct setting *set)
{
	if (!kw_loaded())
		return;
	need(!kw_write(KW_PARAMS "offload", set->offload ?: offload));
	need(!kw_write(KW_PARAMS "batch",
		       set->batch && strcmp(set->batch, "default") ?
		       set->batch : batch));
	need(!kw_write(KW_PARAMS "auto_adopt", set->auto_adopt ?: "off"));
}

bool state_native(void)
{
	return kw_native();
}

bool state_at_rest(void)
{
	return !kw_loaded() || kw_at_rest();
}

long state_queued(void)
{
	return kw_loaded() ? kw_queued() : 0;
}

void state_room(long tasks)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	char max[32];

	snprintf(max, sizeof(max), "%ld", tasks + 30000);
	need(!kw_write("/proc/sys/kernel/threads-max", max));
	need(!kw_write("/proc/sys/kernel/pid_max", "4194304"));
	need(!setrlimit(RLIMIT_NPROC, &all));
}

void state_latency(unsigned long *counts)
{
	FILE *f = fopen(KW_DEBUGFS "latency", "r");
	unsigned long ns, n;
	char c;

	memset(counts, 0, NR_LATENCIES * sizeof(*counts));
	while (f && (c = fgetc(f)) != '\n')
		;
	while (f && fscanf(f, "%lu %lu", &ns, &n) == 2)
		counts[63 - __builtin_clzl(ns)] = n;
	if (f)
		fclose(f);
}
