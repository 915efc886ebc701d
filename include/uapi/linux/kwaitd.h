/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/kwaitd: what the kwaitd module can be asked.
 *
 * Anyone may open the device; each command says who may use it. An unknown
 * command is ENOTTY.
 *
 * The structures may grow at their end. The command has the size of the caller's
 * in it: what a smaller one lacks counts as zero, and what is beyond what the
 * module knows must be zero, else E2BIG. A structure smaller than its first
 * version is EINVAL, and so are flags and reserved fields that are not zero.
 */
#ifndef _UAPI_LINUX_KWAITD_H
#define _UAPI_LINUX_KWAITD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KWAITD_IOC_MAGIC 0xDE

/**
 * struct kwaitd_exit_info - how a detached process ended
 * @pidfd: in: of the process
 * @flags: in: none yet, 0
 * @cgroupid: out: the inode number of the cgroup (version 2) it died in
 * @exit_code: out: its exit status, as wait4() would have told it
 * @__reserved: in: 0
 */
struct kwaitd_exit_info {
	__s32 pidfd;
	__u32 flags;
	__u64 cgroupid;
	__s32 exit_code;
	__u32 __reserved;
};

#define KWAITD_EXIT_INFO_SIZE_VER0 24

/*
 * KWAITD_IOC_EXIT_INFO: the exit status of a process created with CLONE_DETACHED
 * or CLONE_AUTOREAP, as its pidfd tells it from Linux 6.15 on (PIDFD_GET_INFO with
 * PIDFD_INFO_EXIT). It is there when poll() says POLLIN, and for as long as the
 * process has a pidfd that was there before it was released.
 *
 * Who holds a pidfd may ask, if the process is in its pid namespace or one below.
 *
 *   EAGAIN	it has not ended
 *   EBADF	not a pidfd
 *   ENODATA	nothing is known of it: it was not created detached, or had no
 *		pidfd when it was released
 *   EOPNOTSUPP	this kernel's pidfds tell it themselves
 *   EREMOTE	it is in no pid namespace the caller can see
 */
#define KWAITD_IOC_EXIT_INFO _IOWR(KWAITD_IOC_MAGIC, 1, struct kwaitd_exit_info)

#endif /* _UAPI_LINUX_KWAITD_H */
