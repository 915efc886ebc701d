// SPDX-License-Identifier: GPL-2.0
/*
 * kwaitd: children and threads nobody has to wait for, after Ingo Molnar's
 * patch of that name for Linux 2.5.31. Load and unload; kwaitd.h says where the
 * rest is.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/workqueue.h>

#include "adopt.h"
#include "kwaitd.h"

bool kwaitd_live;
struct workqueue_struct *kwaitd_wq;

static int __init kwaitd_init(void)
{
	int err;

	kwaitd_wq = alloc_workqueue("kwaitd", WQ_UNBOUND, 0);
	if (!kwaitd_wq)
		return -ENOMEM;
	kwaitd_adopt_init();
	kwaitd_sweep_init();
	kwaitd_status_init();
	err = kwaitd_pool_init();
	if (err)
		goto exit_wq;
	err = kwaitd_reaper_init();
	if (err)
		goto exit_pool;
	err = kwaitd_hooks_init();
	if (err)
		goto exit_reaper;
	err = kwaitd_selftest();
	if (err)
		goto exit_hooks;
	kwaitd_stats_init();
	err = kwaitd_ctl_init();
	if (err)
		goto exit_stats;
	WRITE_ONCE(kwaitd_live, true);
	kwaitd_adopt_auto();
	return 0;

exit_stats:
	kwaitd_stats_exit();
exit_hooks:
	kwaitd_hooks_exit();
exit_reaper:
	kwaitd_reaper_exit();
exit_pool:
	kwaitd_pool_exit();
exit_wq:
	destroy_workqueue(kwaitd_wq);
	return err;
}
module_init(kwaitd_init);

static void __exit kwaitd_exit(void)
{
	/* A parameter is not half written then, and has no work queued later. */
	kernel_param_lock(THIS_MODULE);
	WRITE_ONCE(kwaitd_live, false);
	kernel_param_unlock(THIS_MODULE);
	kwaitd_ctl_exit();
	kwaitd_stats_exit();
	kwaitd_hooks_exit();
	kwaitd_sweep_exit();
	kwaitd_adopt_exit();
	kwaitd_reaper_exit();
	kwaitd_status_exit();
	kwaitd_mark_exit();
	kwaitd_pool_exit();
	destroy_workqueue(kwaitd_wq);
}
module_exit(kwaitd_exit);

MODULE_DESCRIPTION("Children and threads nobody has to wait for");
MODULE_AUTHOR("The kwaitd authors");
MODULE_LICENSE("GPL");
/* DKMS replaces an installed module only by one of another version: dkms.conf */
MODULE_VERSION("1.0");
