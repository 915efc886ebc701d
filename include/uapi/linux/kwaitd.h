/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/kwaitd: what the kwaitd module can be asked.
 *
 * Anyone may open the device. Each command says below who may use it.
 *
 * A structure may grow at its end in later versions. The number of a command has the
 * size of the caller's structure in it, so either side may know fewer fields:
 *
 *  - Fields that the caller's structure lacks count as zero.
 *  - Fields that the module does not know must be zero.
 *
 * Every command fails with
 *
 *   E2BIG	a field that the module does not know is not zero
 *   EFAULT	an address is not in the caller's memory
 *   EINVAL	the structure is smaller than its first version, a flag is unknown, or a
 *		reserved field is not zero
 *   ENOTTY	there is no such command
 */
#ifndef _UAPI_LINUX_KWAITD_H
#define _UAPI_LINUX_KWAITD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KWAITD_IOC_MAGIC 0xDE

/**
 * struct kwaitd_exit_info - how a detached process ended
 * @pidfd: in: a pidfd of the process
 * @flags: in: none yet, 0
 * @cgroupid: out: the inode number of the cgroup (version 2) that the process died in
 * @exit_code: out: the exit status of the process, as wait4() would have told it
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
 * KWAITD_IOC_EXIT_INFO: the exit status of a process that was created with
 * CLONE_DETACHED or CLONE_AUTOREAP. From Linux 6.15 on the pidfd of a process tells the
 * same (PIDFD_GET_INFO with PIDFD_INFO_EXIT).
 *
 * The answer is there as soon as poll() of the pidfd says POLLIN. It stays for as long as
 * there is a pidfd of the process that was opened before the process was released.
 *
 * Anyone who holds a pidfd may ask, if the process is in the caller's pid namespace or in
 * one below.
 *
 *   EAGAIN	the process has not ended
 *   EBADF	@pidfd is no pidfd
 *   ENODATA	nothing is known of the end: the process was not created detached, or
 *		it had no pidfd when it was released
 *   EOPNOTSUPP	this kernel's pidfds tell the status themselves, or the kernel does not
 *		let the module look at pidfds
 *   EREMOTE	the process is in no pid namespace that the caller can see
 */
#define KWAITD_IOC_EXIT_INFO _IOWR(KWAITD_IOC_MAGIC, 1, struct kwaitd_exit_info)

/**
 * struct kwaitd_version - what this module can do
 * @flags: in: none yet, 0
 * @version: out: the version of the interface described here, now 1. The version does
 *	not change when commands or fields are added
 * @features: out: KWAITD_FEATURE_*
 */
struct kwaitd_version {
	__u32 flags;
	__u32 version;
	__u64 features;
};

#define KWAITD_VERSION_SIZE_VER0 16

/* clone3() takes CLONE_AUTOREAP and CLONE_NNP: the kernel or the module knows them */
#define KWAITD_FEATURE_AUTOREAP		(1ULL << 0)
/* There is KWAITD_IOC_EXIT_INFO, since this kernel's pidfds do not tell an exit status */
#define KWAITD_FEATURE_EXIT_INFO	(1ULL << 1)
/* There are KWAITD_IOC_ADOPT, _RELEASE, _LIST and _REAP */
#define KWAITD_FEATURE_ADOPT		(1ULL << 2)

/*
 * KWAITD_IOC_VERSION: anyone may ask.
 */
#define KWAITD_IOC_VERSION _IOWR(KWAITD_IOC_MAGIC, 2, struct kwaitd_version)

/*
 * Adoption.
 *
 * When a process dies, the kernel gives the children of this process to a reaper: to the
 * init of the pid namespace, or to a process that has called
 * prctl(PR_SET_CHILD_SUBREAPER). These children are the reaper's orphans.
 *
 * While a reaper is adopted, its orphans are released when they die, and the reaper does
 * not hear of them. If the parameter grace_ms is not 0, an orphan is a zombie for that
 * long first, and is released if the reaper has not waited for it.
 *
 * The reaper's own children stay its own. These are
 *
 *  - the children that the reaper has created, by whatever thread and call,
 *  - the children that an own child has created with CLONE_PARENT, and
 *  - all children that the reaper had when it was adopted.
 *
 * A child that is a zombie when the reaper is adopted stays a zombie until somebody waits
 * for it or KWAITD_IOC_REAP takes it.
 *
 * An adoption ends when the reaper dies, by KWAITD_IOC_RELEASE, or when the module is
 * unloaded. An execve() of the reaper does not end it.
 *
 * The caller names a reaper by a pidfd. KWAITD_SELF stands for the caller's own process,
 * which anyone may name. For another process the caller needs CAP_SYS_ADMIN in the user
 * namespace that owns the reaper's pid namespace.
 *
 *   EBADF	@pidfd is neither a pidfd nor KWAITD_SELF
 *   EINTR	the caller is being killed
 *   EOPNOTSUPP	this kernel does not let the module look at pidfds, or take zombies
 *   EPERM	the caller may not name this process
 *   ESRCH	the process is dead
 */
/* As PIDFD_SELF_PROCESS is; not -1, which a pidfd_open() that has failed returns. */
#define KWAITD_SELF (-10001)

/**
 * struct kwaitd_adopt - a reaper to adopt or to release
 * @pidfd: in: a pidfd of the reaper, or KWAITD_SELF
 * @flags: in: none yet, 0
 * @own: out: how many living children the reaper has, which stay its own; 0 for
 *	KWAITD_IOC_RELEASE
 * @zombies: out: how many dead children the reaper has; 0 for KWAITD_IOC_RELEASE
 */
struct kwaitd_adopt {
	__s32 pidfd;
	__u32 flags;
	__u32 own;
	__u32 zombies;
};

#define KWAITD_ADOPT_SIZE_VER0 16

/*
 * KWAITD_IOC_ADOPT: adopt a reaper. Besides the errors above:
 *
 *   EALREADY	the reaper is adopted already
 *   EINVAL	the process is no reaper, or the pidfd is one of a thread
 *   ENOMEM	there is no memory, and nothing has changed
 */
#define KWAITD_IOC_ADOPT _IOWR(KWAITD_IOC_MAGIC, 3, struct kwaitd_adopt)

/*
 * KWAITD_IOC_RELEASE: end an adoption. Orphans that die from now on become zombies of the
 * reaper. Orphans that are in their grace time stay zombies of the reaper.
 *
 *   ENOENT	the reaper is not adopted
 */
#define KWAITD_IOC_RELEASE _IOWR(KWAITD_IOC_MAGIC, 4, struct kwaitd_adopt)

/**
 * struct kwaitd_reaper - an adopted reaper
 * @pid: the reaper's process id, in the caller's pid namespace
 * @flags: KWAITD_REAPER_*
 * @orphans: how many of the reaper's orphans were released when they died
 * @swept: how many of the reaper's orphans were released after they had been zombies,
 *	because their grace time was over or because of KWAITD_IOC_REAP
 * @own: how many own children the reaper has that are not yet released
 * @grace: how many of the reaper's orphans are in their grace time
 * @comm: the reaper's command name
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

/* The reaper is the init of its pid namespace */
#define KWAITD_REAPER_INIT	(1U << 0)
/* The parameter auto_adopt has adopted the reaper */
#define KWAITD_REAPER_AUTO	(1U << 1)
/*
 * The module is looking through the reaper's children. Meanwhile the reaper's orphans
 * become zombies. The module does so when a reaper is adopted, and again when there was no
 * memory to note a new own child. In the second case all children that the reaper then has
 * count as its own.
 */
#define KWAITD_REAPER_PAUSED	(1U << 2)

/**
 * struct kwaitd_list - the adopted reapers
 * @reapers: in: address of an array of &struct kwaitd_reaper
 * @nr: in: how many elements the array has room for. out: how many adopted reapers the
 *	caller can see, which may be more than the array has room for
 * @size: in: the size of one element of the array, in bytes. The module writes so many
 *	bytes for each reaper, and sets to zero those that it does not know
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
 * KWAITD_IOC_LIST: the adopted reapers in the caller's pid namespace and below, in the
 * order of their adoption. Anyone may ask.
 *
 *   EINTR	the caller is being killed
 *   EINVAL	@size is smaller than the first version of &struct kwaitd_reaper, or
 *		larger than a page
 */
#define KWAITD_IOC_LIST _IOWR(KWAITD_IOC_MAGIC, 5, struct kwaitd_list)

/**
 * struct kwaitd_reap - release a reaper's zombies
 * @pidfd: in: a pidfd of the reaper, or KWAITD_SELF
 * @flags: in: KWAITD_REAP_*
 * @min_age: in: for how many nanoseconds a zombie must have been dead to be released;
 *	0: release all. The kernel knows the age from the zombie's last turn on a CPU,
 *	by the clock of that CPU. Such a clock may stand still in interrupts and while a
 *	hypervisor has the CPU. Where that happens often, the clocks of two CPUs may be
 *	seconds apart
 * @nr: out: how many zombies were released, or would be
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

/* Release nothing, only count the zombies */
#define KWAITD_REAP_DRY_RUN (1U << 0)

/*
 * KWAITD_IOC_REAP: release now the zombies of an adopted reaper, but for those that are
 * known to be the reaper's own children. Own children that were dead when the reaper was
 * adopted cannot be told from orphans. They are released, too, unless they are younger than
 * @min_age. A process that is traced is left alone.
 *
 *   EAGAIN	the reaper's children are being looked through (KWAITD_REAPER_PAUSED)
 *   EINVAL	@min_age is 2^63 or more
 *   ENOENT	the reaper is not adopted
 *   ENOMEM	there is no memory, or no process id, for the thread that this takes
 *
 * If something goes wrong after some zombies were released, the command succeeds, and @nr
 * says how many were.
 */
#define KWAITD_IOC_REAP _IOWR(KWAITD_IOC_MAGIC, 6, struct kwaitd_reap)

#endif /* _UAPI_LINUX_KWAITD_H */
