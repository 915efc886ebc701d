// SPDX-License-Identifier: GPL-2.0
/*
 * kwaitd: children and threads nobody has to wait for, after Ingo Molnar's patch of that
 * name for Linux 2.5.31. Load and unload. kwaitd.h says where the rest is.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "adopt.h"
#include "auto.h"
#include "count.h"
#include "drain.h"
#include "grace.h"
#include "hooks.h"
#include "kwaitd.h"
#include "later.h"
#include "mark.h"
#include "param.h"
#include "pool.h"
#include "status.h"

static int __init kwaitd_init(void)
{
	int err;

	err = kwaitd_later_start();
	if (err)
		return err;
	kwaitd_adopt_init();
	kwaitd_auto_init();
	kwaitd_grace_init();
	kwaitd_status_init();
	err = kwaitd_pool_init(kwaitd_drain_wake);
	if (err)
		goto stop_later;
	err = kwaitd_drain_init();
	if (err)
		goto exit_pool;
	err = kwaitd_hooks_init();
	if (err)
		goto exit_drain;
	err = kwaitd_selftest();
	if (err)
		goto exit_hooks;
	kwaitd_count_reset();
	kwaitd_debugfs_init();
	err = kwaitd_ctl_init();
	if (err)
		goto exit_debugfs;
	WRITE_ONCE(kwaitd_live, true);
	kwaitd_auto_start();
	return 0;

exit_debugfs:
	kwaitd_debugfs_exit();
exit_hooks:
	kwaitd_hooks_exit();
exit_drain:
	kwaitd_drain_exit();
exit_pool:
	kwaitd_pool_exit();
stop_later:
	kwaitd_later_stop();
	return err;
}
module_init(kwaitd_init);

static void __exit kwaitd_exit(void)
{
	/* Then no parameter is half written, and none queues work later. */
	kernel_param_lock(THIS_MODULE);
	WRITE_ONCE(kwaitd_live, false);
	kernel_param_unlock(THIS_MODULE);
	/* Whoever waits for a queued task need not wait for what follows. */
	synchronize_rcu();
	kwaitd_drain_all();
	kwaitd_ctl_exit();
	kwaitd_debugfs_exit();
	kwaitd_hooks_exit();
	kwaitd_grace_exit();
	kwaitd_auto_exit();
	kwaitd_adopt_exit();
	kwaitd_drain_exit();
	kwaitd_status_exit();
	kwaitd_mark_exit();
	kwaitd_pool_exit();
	kwaitd_later_stop();
}
module_exit(kwaitd_exit);

MODULE_DESCRIPTION("Children and threads nobody has to wait for");
MODULE_AUTHOR("The kwaitd authors");
MODULE_LICENSE("GPL");
/* DKMS replaces an installed module only by one of another version: dkms.conf */
MODULE_VERSION("1.0");
