// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/kwaitd. What its commands mean is in include/uapi/linux/kwaitd.h.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>

#include <uapi/linux/kwaitd.h>

#include "adopt.h"
#include "compat.h"
#include "hook.h"
#include "hooks.h"
#include "kwaitd.h"
#include "mark.h"
#include "sweep.h"

/* pidfd_get_pid() is not exported. */
static struct pid *no_pidfd_get_pid(unsigned int fd, unsigned int *flags)
{
	return ERR_PTR(-EOPNOTSUPP);
}

DEFINE_STATIC_CALL(kwaitd_pidfd_get_pid, no_pidfd_get_pid);

static int ctl_version(struct kwaitd_version *v)
{
	if (v->flags)
		return -EINVAL;
	v->version = 1;
	v->features = KWAITD_FEATURE_ADOPT;
	if (kwaitd_hooks_clone3())
		v->features |= KWAITD_FEATURE_AUTOREAP;
	if (!KWAITD_NATIVE_EXIT_INFO)
		v->features |= KWAITD_FEATURE_EXIT_INFO;
	return 0;
}

static int ctl_exit_info(struct kwaitd_exit_info *info)
{
	unsigned int flags;
	struct pid *pid;
	int err;

	if (info->flags || info->__reserved)
		return -EINVAL;
	if (KWAITD_NATIVE_EXIT_INFO)
		return -EOPNOTSUPP;
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

/* Return: a reference on a thread group's pid that the caller may adopt */
static struct pid *get_reaper(int pidfd)
{
	struct user_namespace *owner;
	unsigned int flags;
	struct pid *pid;

	if (pidfd == KWAITD_SELF)
		return get_pid(task_tgid(current));
	pid = static_call(kwaitd_pidfd_get_pid)(pidfd, &flags);
	if (IS_ERR(pid))
		return pid;
	owner = ns_of_pid(pid)->user_ns;
	if (pid == task_tgid(current) || ns_capable(owner, CAP_SYS_ADMIN))
		return pid;
	put_pid(pid);
	return ERR_PTR(-EPERM);
}

static int ctl_adopt(struct kwaitd_adopt *arg)
{
	struct pid *pid;
	int err;

	if (arg->flags)
		return -EINVAL;
	pid = get_reaper(arg->pidfd);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	err = kwaitd_adopt(pid, &arg->own, &arg->zombies);
	put_pid(pid);
	return err;
}

static int ctl_release(struct kwaitd_adopt *arg)
{
	struct pid *pid;
	int err;

	if (arg->flags)
		return -EINVAL;
	pid = get_reaper(arg->pidfd);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	err = kwaitd_adopt_end(pid);
	arg->own = 0;
	arg->zombies = 0;
	put_pid(pid);
	return err;
}

static int ctl_reap(struct kwaitd_reap *arg)
{
	struct pid *pid;
	int err;

	if (arg->flags & ~KWAITD_REAP_DRY_RUN || arg->__reserved ||
	    arg->min_age > S64_MAX)
		return -EINVAL;
	pid = get_reaper(arg->pidfd);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	err = kwaitd_sweep(pid, arg->min_age,
			   arg->flags & KWAITD_REAP_DRY_RUN, &arg->nr);
	put_pid(pid);
	return err;
}

static int ctl_list(struct kwaitd_list *arg)
{
	char __user *to = u64_to_user_ptr(arg->reapers);
	struct kwaitd_reaper reaper;
	size_t size = min_t(size_t, arg->size, sizeof(reaper));
	u32 nr = 0;
	u64 id = 0;

	if (arg->flags || arg->__reserved ||
	    arg->size < KWAITD_REAPER_SIZE_VER0 || arg->size > PAGE_SIZE)
		return -EINVAL;
	while (kwaitd_adopt_show(&reaper, &id)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		if (nr++ >= arg->nr)
			continue;
		if (copy_to_user(to, &reaper, size) ||
		    clear_user(to + size, arg->size - size))
			return -EFAULT;
		to += arg->size;
	}
	arg->nr = nr;
	return 0;
}

/* All take what is copied from the user, and leave there what is to be copied back. */
union argument {
	struct kwaitd_exit_info exit_info;
	struct kwaitd_version version;
	struct kwaitd_adopt adopt;
	struct kwaitd_list list;
	struct kwaitd_reap reap;
};

static int ctl_command(unsigned int cmd, union argument *arg)
{
	switch (cmd) {
	case KWAITD_IOC_EXIT_INFO:
		return ctl_exit_info(&arg->exit_info);
	case KWAITD_IOC_VERSION:
		return ctl_version(&arg->version);
	case KWAITD_IOC_ADOPT:
		return ctl_adopt(&arg->adopt);
	case KWAITD_IOC_RELEASE:
		return ctl_release(&arg->adopt);
	case KWAITD_IOC_LIST:
		return ctl_list(&arg->list);
	case KWAITD_IOC_REAP:
		return ctl_reap(&arg->reap);
	}
	return -ENOTTY;
}

/* The commands, and the sizes that their structures had first */
static const struct {
	unsigned int cmd;
	size_t min;
} commands[] = {
	{ KWAITD_IOC_EXIT_INFO, KWAITD_EXIT_INFO_SIZE_VER0 },
	{ KWAITD_IOC_VERSION, KWAITD_VERSION_SIZE_VER0 },
	{ KWAITD_IOC_ADOPT, KWAITD_ADOPT_SIZE_VER0 },
	{ KWAITD_IOC_RELEASE, KWAITD_ADOPT_SIZE_VER0 },
	{ KWAITD_IOC_LIST, KWAITD_LIST_SIZE_VER0 },
	{ KWAITD_IOC_REAP, KWAITD_REAP_SIZE_VER0 },
};

static long kwaitd_ctl_ioctl(struct file *file, unsigned int cmd,
			     unsigned long uarg)
{
	/* The size is the caller's. */
	size_t usize = _IOC_SIZE(cmd), size;
	union argument arg;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!((commands[i].cmd ^ cmd) & ~IOCSIZE_MASK))
			break;
	}
	if (i == ARRAY_SIZE(commands))
		return -ENOTTY;
	if (usize < commands[i].min)
		return -EINVAL;
	size = _IOC_SIZE(commands[i].cmd);
	err = copy_struct_from_user(&arg, size, (void __user *)uarg, usize);
	if (err)
		return err;
	err = ctl_command(commands[i].cmd, &arg);
	if (err)
		return err;
	/* What the caller has beyond is zero. */
	return copy_to_user((void __user *)uarg, &arg, min(size, usize)) ?
	       -EFAULT : 0;
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

	addr = kwaitd_hook_symbol("pidfd_get_pid");
	if (addr)
		static_call_update(kwaitd_pidfd_get_pid, (void *)addr);
	return misc_register(&ctl);
}

/**
 * kwaitd_ctl_exit() - remove /dev/kwaitd; nobody has it open
 *
 * Context: process context; may sleep.
 */
void kwaitd_ctl_exit(void)
{
	misc_deregister(&ctl);
}
