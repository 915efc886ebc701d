/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/kwaitd: what the kwaitd module can be asked.
 *
 * Anyone may open the device; each command says who may use it. An unknown
 * command is ENOTTY, and a pointer to nowhere is EFAULT.
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

/**
 * struct kwaitd_version - what this module can do
 * @flags: in: none yet, 0
 * @version: out: of what is described here, now 1. It does not change when
 *	commands or fields are added
 * @features: out: KWAITD_FEATURE_*
 */
struct kwaitd_version {
	__u32 flags;
	__u32 version;
	__u64 features;
};

#define KWAITD_VERSION_SIZE_VER0 16

/* clone3() has CLONE_AUTOREAP and CLONE_NNP, of the kernel or of the module */
#define KWAITD_FEATURE_AUTOREAP		(1ULL << 0)
/* KWAITD_IOC_EXIT_INFO is needed, and there */
#define KWAITD_FEATURE_EXIT_INFO	(1ULL << 1)
/* KWAITD_IOC_ADOPT, _RELEASE, _LIST and _REAP */
#define KWAITD_FEATURE_ADOPT		(1ULL << 2)

/*
 * KWAITD_IOC_VERSION: anyone may ask.
 */
#define KWAITD_IOC_VERSION _IOWR(KWAITD_IOC_MAGIC, 2, struct kwaitd_version)

/*
 * Adoption. A reaper is whom the kernel gives the children of processes that die:
 * the init of a pid namespace, or a process that has called
 * prctl(PR_SET_CHILD_SUBREAPER). While it is adopted, the orphans that it was given
 * are released when they die, without a word to it, or if the parameter grace_ms
 * is not 0, when they have been zombies for so long and it has not waited for them.
 *
 * Its own children are its own: those that it has created, by whatever thread
 * and call, or that such a child has created with CLONE_PARENT, and all that it
 * had when it was adopted. What is a zombie at that moment stays one, until
 * somebody waits for it or KWAITD_IOC_REAP takes it.
 *
 * An adoption ends with its reaper, by KWAITD_IOC_RELEASE, or when the module is
 * unloaded. It outlives execve().
 *
 * A reaper is named by a pidfd, or by KWAITD_SELF the caller's own process. Its
 * own process may be any reaper's business; for another one it takes
 * CAP_SYS_ADMIN in the user namespace that owns the reaper's pid namespace.
 *
 *   EBADF	not a pidfd, nor KWAITD_SELF
 *   EINTR	the caller is being killed
 *   EOPNOTSUPP	this kernel does not let the module look at pidfds, or find orphans
 *   EPERM	not allowed
 *   ESRCH	it is dead
 */
/* As PIDFD_SELF_PROCESS is; not -1, which a pidfd_open() that has failed returns. */
#define KWAITD_SELF (-10001)

/**
 * struct kwaitd_adopt - a reaper to adopt or to release
 * @pidfd: in: of the reaper, or KWAITD_SELF
 * @flags: in: none yet, 0
 * @own: out: how many living children it has, which remain its own; 0 for
 *	KWAITD_IOC_RELEASE
 * @zombies: out: how many dead ones; 0 for KWAITD_IOC_RELEASE
 */
struct kwaitd_adopt {
	__s32 pidfd;
	__u32 flags;
	__u32 own;
	__u32 zombies;
};

#define KWAITD_ADOPT_SIZE_VER0 16

/*
 * KWAITD_IOC_ADOPT: besides the errors above
 *
 *   EALREADY	it is adopted
 *   EINVAL	it is no reaper, or no process but a thread
 *   ENOMEM	nothing has changed
 */
#define KWAITD_IOC_ADOPT _IOWR(KWAITD_IOC_MAGIC, 3, struct kwaitd_adopt)

/*
 * KWAITD_IOC_RELEASE: end an adoption. Orphans that die from now on are its
 * zombies; those in their grace time remain it.
 *
 *   ENOENT	it is not adopted
 */
#define KWAITD_IOC_RELEASE _IOWR(KWAITD_IOC_MAGIC, 4, struct kwaitd_adopt)

/**
 * struct kwaitd_reaper - an adopted reaper
 * @pid: its process id, in the caller's pid namespace
 * @flags: KWAITD_REAPER_*
 * @orphans: of its orphans, how many have died and been released without it
 * @swept: and how many after they had been zombies: their grace time was over, or
 *	KWAITD_IOC_REAP
 * @own: its own children that are not yet released
 * @grace: its orphans that are in their grace time
 * @comm: its command name
 */
struct kwaitd_reaper {
	__s32 pid;
	__u32 flags;
	__u64 orphans;
	__u64 swept;
	__u32 own;
	__u32 grace;
	char comm[16];
};

#define KWAITD_REAPER_SIZE_VER0 48

/* It is the init of its pid namespace */
#define KWAITD_REAPER_INIT	(1U << 0)
/* It was adopted by the parameter auto_adopt */
#define KWAITD_REAPER_AUTO	(1U << 1)
/*
 * Its children are being looked through, at first or since there was no memory to
 * note one: its orphans become zombies meanwhile, and in the second case all that it
 * has then are taken for its own
 */
#define KWAITD_REAPER_PAUSED	(1U << 2)

/**
 * struct kwaitd_list - the adopted reapers
 * @reapers: in: address of an array of &struct kwaitd_reaper
 * @nr: in: how many it has room for. out: how many there are to see, which may be
 *	more than were written
 * @size: in: of one element of the array. The module writes no more, and fills up
 *	with zeros
 * @flags: in: none yet, 0
 * @__reserved: in: 0
 */
struct kwaitd_list {
	__u64 reapers;
	__u32 nr;
	__u32 size;
	__u32 flags;
	__u32 __reserved;
};

#define KWAITD_LIST_SIZE_VER0 24

/*
 * KWAITD_IOC_LIST: anyone may ask, and is told of the reapers in the own pid
 * namespace and below, in order of adoption.
 *
 *   EINVAL	size is smaller than the first version's, or larger than a page
 */
#define KWAITD_IOC_LIST _IOWR(KWAITD_IOC_MAGIC, 5, struct kwaitd_list)

/**
 * struct kwaitd_reap - release a reaper's zombies
 * @pidfd: in: of the reaper, or KWAITD_SELF
 * @flags: in: KWAITD_REAP_*
 * @min_age: in: nanoseconds that they must have been dead for. The kernel knows
 *	that from their last turn on a CPU, by the clock of that CPU. It may stand
 *	still in interrupts and while a hypervisor has the CPU, so that the clocks of
 *	two CPUs may be seconds apart where there is much of that. 0: all
 * @nr: out: how many were released, or would be
 * @__reserved: in: 0
 */
struct kwaitd_reap {
	__s32 pidfd;
	__u32 flags;
	__u64 min_age;
	__u32 nr;
	__u32 __reserved;
};

#define KWAITD_REAP_SIZE_VER0 24

/* Only count them */
#define KWAITD_REAP_DRY_RUN (1U << 0)

/*
 * KWAITD_IOC_REAP: release now the zombies of an adopted reaper, but for those
 * known to be its own children. Nothing tells own children that were dead when it
 * was adopted from orphans: they are taken, too, unless @min_age spares them. A
 * traced process is left alone.
 *
 *   ENOENT	it is not adopted
 *   EAGAIN	its children are being looked through (KWAITD_REAPER_PAUSED)
 *   ENOMEM	there is no memory, or no process id, for the thread that it takes
 *
 * If that happens when some are released already, these are told and it is no error.
 */
#define KWAITD_IOC_REAP _IOWR(KWAITD_IOC_MAGIC, 6, struct kwaitd_reap)

#endif /* _UAPI_LINUX_KWAITD_H */
