// SPDX-License-Identifier: GPL-2.0
/*
 * kwaitd: children and threads nobody has to wait for, after Ingo Molnar's
 * patch of that name for Linux 2.5.31. Load and unload; kwaitd.h says where the
 * rest is.
 */
#include <linux/module.h>

#include "adopt.h"
#include "kwaitd.h"

bool kwaitd_live;

static int __init kwaitd_init(void)
{
	int err;

	err = kwaitd_pool_init();
	if (err)
		return err;
	err = kwaitd_hooks_init();
	if (err)
		goto exit_pool;
	err = kwaitd_reaper_init();
	if (err)
		goto exit_hooks;
	err = kwaitd_selftest();
	if (err)
		goto exit_reaper;
	kwaitd_stats_init();
	err = kwaitd_ctl_init();
	if (err)
		goto exit_stats;
	WRITE_ONCE(kwaitd_live, true);
	kwaitd_adopt_auto();
	return 0;

exit_stats:
	kwaitd_stats_exit();
exit_reaper:
	kwaitd_hooks_exit();
	kwaitd_reaper_exit();
	kwaitd_pool_exit();
	return err;
exit_hooks:
	kwaitd_hooks_exit();
exit_pool:
	kwaitd_pool_exit();
	return err;
}
module_init(kwaitd_init);

static void __exit kwaitd_exit(void)
{
	WRITE_ONCE(kwaitd_live, false);
	kwaitd_ctl_exit();
	kwaitd_stats_exit();
	kwaitd_hooks_exit();
	kwaitd_sweep_exit();
	kwaitd_adopt_exit();
	kwaitd_reaper_exit();
	kwaitd_status_exit();
	kwaitd_mark_exit();
	kwaitd_pool_exit();
}
module_exit(kwaitd_exit);

MODULE_DESCRIPTION("Children and threads nobody has to wait for");
MODULE_AUTHOR("The kwaitd authors");
MODULE_LICENSE("GPL");
