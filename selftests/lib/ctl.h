/* SPDX-License-Identifier: GPL-2.0 */
/* The commands of /dev/kwaitd, as <linux/kwaitd.h> defines them. */
#ifndef _KWAITD_LIB_CTL_H
#define _KWAITD_LIB_CTL_H

#include <errno.h>
#include <fcntl.h>
#include <linux/kwaitd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static inline int kw_pidfd(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

/* Give one command. Return: 0 or errno */
static inline int kw_ctl(unsigned long cmd, void *arg)
{
	int fd = open("/dev/kwaitd", O_RDWR | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (ioctl(fd, cmd, arg))
		err = errno;
	close(fd);
	return err;
}

/* Give a command about a process. *pidfd, a field of *arg, gets a pidfd of it. */
static inline int kw_ctl_pid(unsigned long cmd, pid_t pid, __s32 *pidfd, void *arg)
{
	int err;

	*pidfd = kw_pidfd(pid);
	err = kw_ctl(cmd, arg);
	close(*pidfd);
	return err;
}

static inline int kw_adopt(pid_t pid)
{
	struct kwaitd_adopt arg = {};

	return kw_ctl_pid(KWAITD_IOC_ADOPT, pid, &arg.pidfd, &arg);
}

static inline int kw_release(pid_t pid)
{
	struct kwaitd_adopt arg = {};

	return kw_ctl_pid(KWAITD_IOC_RELEASE, pid, &arg.pidfd, &arg);
}

/* Reap a reaper's zombies. Return: how many, or a negative errno */
static inline long kw_reap(pid_t pid, __u64 min_age, __u32 flags)
{
	struct kwaitd_reap arg = { .flags = flags, .min_age = min_age };
	int err = kw_ctl_pid(KWAITD_IOC_REAP, pid, &arg.pidfd, &arg);

	return err ? -err : (long)arg.nr;
}

/*
 * Return: whether pid is in the list of adopted reapers. *reaper gets what the list says
 * about it.
 */
static inline bool kw_listed(pid_t pid, struct kwaitd_reaper *reaper)
{
	struct kwaitd_reaper reapers[64];
	struct kwaitd_list list = {
		.reapers = (uintptr_t)reapers,
		.nr = 64,
		.size = sizeof(*reapers),
	};
	unsigned int i;

	if (kw_ctl(KWAITD_IOC_LIST, &list))
		return false;
	for (i = 0; i < list.nr && i < 64; i++) {
		if (reapers[i].pid == pid) {
			*reaper = reapers[i];
			return true;
		}
	}
	return false;
}

#endif /* _KWAITD_LIB_CTL_H */
