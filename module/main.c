// SPDX-License-Identifier: GPL-2.0
/*
 * kwaitd: children and threads nobody has to wait for, after Ingo Molnar's
 * patch of that name for Linux 2.5.31. Parameters, load and unload; kwaitd.h
 * says where the rest is.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "kwaitd.h"

unsigned int kwaitd_offload = KWAITD_OFFLOAD_DETACHED;
unsigned int kwaitd_batch = 1;
unsigned int kwaitd_max_backlog = 256;
bool kwaitd_live;

static const char * const offloads[] = {
	[KWAITD_OFFLOAD_NONE]		= "none",
	[KWAITD_OFFLOAD_DETACHED]	= "detached",
	[KWAITD_OFFLOAD_ALL]		= "all",
};

static int offload_set(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(offloads, val);

	if (i < 0)
		return i;
	WRITE_ONCE(kwaitd_offload, i);
	return 0;
}

static int offload_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", offloads[kwaitd_offload]);
}

static const struct kernel_param_ops offload_ops = {
	.set = offload_set,
	.get = offload_get,
};
module_param_cb(offload, &offload_ops, NULL, 0644);
MODULE_PARM_DESC(offload, "which exits are left to kwaitd: none, detached (default): of threads and processes created detached, all: of all user threads and processes that nobody waits for");

static int batch_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, 4096);
}

static const struct kernel_param_ops batch_ops = {
	.set = batch_set,
	.get = param_get_uint,
};
module_param_cb(batch, &batch_ops, &kwaitd_batch, 0644);
MODULE_PARM_DESC(batch, "wake kwaitd when so many tasks are queued on its CPU, or a tick later (1 to 4096, default 1)");

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

static int __init kwaitd_init(void)
{
	int err;

	err = kwaitd_mark_init();
	if (err)
		return err;
	err = kwaitd_hooks_init();
	if (err)
		goto exit_mark;
	err = kwaitd_reaper_init(kwaitd_hooks_release_addr());
	if (err)
		goto exit_hooks;
	err = kwaitd_selftest();
	if (err)
		goto exit_reaper;
	kwaitd_stats_init();
	WRITE_ONCE(kwaitd_live, true);
	return 0;

exit_reaper:
	kwaitd_hooks_exit();
	kwaitd_reaper_exit();
	kwaitd_mark_exit();
	return err;
exit_hooks:
	kwaitd_hooks_exit();
exit_mark:
	kwaitd_mark_exit();
	return err;
}
module_init(kwaitd_init);

static void __exit kwaitd_exit(void)
{
	WRITE_ONCE(kwaitd_live, false);
	kwaitd_stats_exit();
	kwaitd_hooks_exit();
	kwaitd_reaper_exit();
	kwaitd_mark_exit();
}
module_exit(kwaitd_exit);

MODULE_DESCRIPTION("Children and threads nobody has to wait for");
MODULE_AUTHOR("The kwaitd authors");
MODULE_LICENSE("GPL");
