// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters: /sys/module/kwaitd/parameters/. A bad value is EINVAL, and changes
 * nothing.
 */
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "adopt.h"
#include "kwaitd.h"

unsigned int kwaitd_offload = KWAITD_OFFLOAD_DETACHED;
unsigned int kwaitd_batch = 16;
unsigned int kwaitd_max_backlog = 256;
unsigned int kwaitd_grace_ms;
unsigned int kwaitd_clone3 = KWAITD_CLONE3_AUTO;

/* A parameter that is one of a few words, by their index */
struct words {
	unsigned int *value;
	unsigned int nr;
	const char *words[3];
};

static int words_set(const char *val, const struct kernel_param *kp)
{
	const struct words *w = kp->arg;
	int i = __sysfs_match_string(w->words, w->nr, val);

	if (i < 0)
		return i;
	WRITE_ONCE(*w->value, i);
	return 0;
}

static int words_get(char *buf, const struct kernel_param *kp)
{
	const struct words *w = kp->arg;

	return sysfs_emit(buf, "%s\n", w->words[*w->value]);
}

static const struct kernel_param_ops words_ops = {
	.set = words_set,
	.get = words_get,
};

static struct words offload = {
	.value = &kwaitd_offload,
	.nr = 3,
	.words = {
		[KWAITD_OFFLOAD_NONE]		= "none",
		[KWAITD_OFFLOAD_DETACHED]	= "detached",
		[KWAITD_OFFLOAD_ALL]		= "all",
	},
};
module_param_cb(offload, &words_ops, &offload, 0644);
MODULE_PARM_DESC(offload, "which exits are left to kwaitd: none, detached (default): of threads and processes created detached, all: of all user threads and processes that nobody waits for");

static struct words clone3 = {
	.value = &kwaitd_clone3,
	.nr = 3,
	.words = {
		[KWAITD_CLONE3_OFF]	= "off",
		[KWAITD_CLONE3_ON]	= "on",
		[KWAITD_CLONE3_AUTO]	= "auto",
	},
};
module_param_cb(clone3, &words_ops, &clone3, 0444);
MODULE_PARM_DESC(clone3, "CLONE_AUTOREAP and CLONE_NNP for clone3(), where the kernel does not know them: off, on: or do not load, auto (default): if the kernel can be hooked");

static int batch_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, 4096);
}

static const struct kernel_param_ops batch_ops = {
	.set = batch_set,
	.get = param_get_uint,
};
module_param_cb(batch, &batch_ops, &kwaitd_batch, 0644);
MODULE_PARM_DESC(batch, "wake kwaitd when so many tasks are queued on its CPU, nothing else wants that, or a tick later (1 to 4096, default 16)");

static int max_backlog_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, 65536);
}

static const struct kernel_param_ops max_backlog_ops = {
	.set = max_backlog_set,
	.get = param_get_uint,
};
module_param_cb(max_backlog, &max_backlog_ops, &kwaitd_max_backlog, 0644);
MODULE_PARM_DESC(max_backlog, "tasks queued on a CPU before further ones are released as if there was no kwaitd (0 to 65536, default 256)");

static int grace_ms_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint_minmax(val, kp, 0, 3600000);

	if (!err && READ_ONCE(kwaitd_live))
		kwaitd_grace_changed();
	return err;
}

static const struct kernel_param_ops grace_ms_ops = {
	.set = grace_ms_set,
	.get = param_get_uint,
};
module_param_cb(grace_ms, &grace_ms_ops, &kwaitd_grace_ms, 0644);
MODULE_PARM_DESC(grace_ms, "milliseconds that an adopted reaper may still wait for an orphan that has died (0 to 3600000, default 0)");
