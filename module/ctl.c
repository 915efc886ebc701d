// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/kwaitd. What its commands mean is in include/uapi/linux/kwaitd.h.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>

#include <uapi/linux/kwaitd.h>

#include "compat.h"
#include "kwaitd.h"

/* pidfd_get_pid() is not exported; see release_task() in reaper.c. */
static struct pid *no_pidfd_get_pid(unsigned int fd, unsigned int *flags)
{
	return ERR_PTR(-EOPNOTSUPP);
}

DEFINE_STATIC_CALL(kwaitd_pidfd_get_pid, no_pidfd_get_pid);

static int exit_info(struct kwaitd_exit_info *info)
{
	unsigned int flags;
	struct pid *pid;
	int err;

	if (info->flags || info->__reserved)
		return -EINVAL;
	pid = static_call(kwaitd_pidfd_get_pid)(info->pidfd, &flags);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	if (pid_vnr(pid))
		err = kwaitd_mark_status(pid, &info->cgroupid, &info->exit_code);
	else
		err = -EREMOTE;
	put_pid(pid);
	return err;
}

static long exit_info_ioctl(void __user *arg, size_t usize)
{
	struct kwaitd_exit_info info;
	int err;

	static_assert(sizeof(info) == KWAITD_EXIT_INFO_SIZE_VER0);
	if (usize < KWAITD_EXIT_INFO_SIZE_VER0)
		return -EINVAL;
	err = copy_struct_from_user(&info, sizeof(info), arg, usize);
	if (err)
		return err;
	err = exit_info(&info);
	if (err)
		return err;
	/* What the caller has beyond is zero. */
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long kwaitd_ctl_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	/* The size is the caller's. */
	switch (cmd & ~IOCSIZE_MASK) {
	case KWAITD_IOC_EXIT_INFO & ~IOCSIZE_MASK:
		return exit_info_ioctl((void __user *)arg, _IOC_SIZE(cmd));
	}
	return -ENOTTY;
}

static const struct file_operations ctl_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= kwaitd_ctl_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice ctl = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "kwaitd",
	.fops	= &ctl_fops,
	.mode	= 0666,
};

/**
 * kwaitd_ctl_init() - create /dev/kwaitd
 *
 * Context: process context; may sleep.
 * Return: 0 or what misc_register() said.
 */
int kwaitd_ctl_init(void)
{
	unsigned long addr;

	if (!KWAITD_NATIVE_EXIT_INFO) {
		addr = kwaitd_hooks_symbol("pidfd_get_pid");
		if (addr)
			static_call_update(kwaitd_pidfd_get_pid, (void *)addr);
	}
	return misc_register(&ctl);
}

void kwaitd_ctl_exit(void)
{
	misc_deregister(&ctl);
}
