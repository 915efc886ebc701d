/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels and architectures, and nothing else.
 *
 * Newer names are given to older kernels, so that the rest of the module
 * reads as if written for the newest one. Where possible the feature itself
 * is tested for and not the version: distributions backport.
 */
#ifndef _KWAITD_COMPAT_H
#define _KWAITD_COMPAT_H

#include <linux/bits.h>
#include <linux/cgroup.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/hrtimer.h>
#include <linux/idr.h>
#include <linux/kernfs.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/version.h>
#include <uapi/linux/pidfd.h>

/* 6.4: vhost's threads, cloned from a user thread but run in the kernel */
#ifndef PF_USER_WORKER
#define PF_USER_WORKER 0
#endif

/*
 * Kernel threads, and the workers of io_uring and vhost, which look like threads
 * of a process. An idle worker of 6.1's io_uring takes its flag off before it
 * exits, but not what no thread of user space has.
 */
static inline bool task_works_for_kernel(const struct task_struct *p)
{
	return (p->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)) ||
	       p->worker_private;
}

/*
 * 7.1: CLONE_AUTOREAP for clone3(), and signal_struct::autoreap, by which
 * do_notify_parent() itself reaps a process without a signal to anyone.
 */
#ifdef CLONE_AUTOREAP
#define KWAITD_NATIVE_CLONE3 1

static inline bool signal_autoreap(const struct signal_struct *sig)
{
	return sig->autoreap;
}
#else
#define KWAITD_NATIVE_CLONE3 0
#define CLONE_AUTOREAP BIT_ULL(34)
#define CLONE_NNP BIT_ULL(35)

static inline bool signal_autoreap(const struct signal_struct *sig)
{
	return false;
}
#endif

/*
 * 7.3: the bit no longer shares its word with the subreaper flags, and can
 * be a detached process's mark. Up to 7.2 a parent that becomes a subreaper
 * writes that word in all its descendants, under a tasklist_lock the fork hook
 * cannot take, so a store there could be lost or undo the parent's: these
 * kernels keep the table (mark.c) and the hook in do_notify_parent() (hooks.c),
 * as those do that have no such bit.
 *
 * Context: the fork hook; the child that @sig belongs to has not run yet.
 * copy_process() sets the bit under tasklist_lock. Without it a plain store is
 * as good here: the memory location holds bit-fields only, and only the
 * process itself writes the others (prctl(PR_TIMER_CREATE_RESTORE_IDS)).
 * offsetof() does not compile for a bit-field, so the assertion says so should
 * the subreaper flags ever come back.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define KWAITD_NATIVE_MARK 1

static_assert(offsetof(struct signal_struct, is_child_subreaper) <
	      offsetof(struct signal_struct, has_child_subreaper));

static inline void signal_set_autoreap(struct signal_struct *sig)
{
	sig->autoreap = 1;
}
#else
#define KWAITD_NATIVE_MARK 0

static inline void signal_set_autoreap(struct signal_struct *sig)
{
}
#endif

/*
 * 6.9: pidfs. Whoever holds a pidfd sees more of a release than anyone else:
 * POLLHUP, and from 6.15 on the exit status that pidfs_exit() publishes. The
 * dentry is stashed in the pid for as long as a pidfd is open. Before pidfs a
 * pidfd tells no more than kill(pid, 0) does, and status.c adds POLLHUP.
 */
#ifdef PIDFD_THREAD	/* came with it */
#define KWAITD_NATIVE_HANGUP 1

static inline bool pid_has_pidfd(struct pid *pid)
{
	return READ_ONCE(pid->stashed);
}

static inline struct pid *pidfd_poll_pid(struct file *file)
{
	return NULL;
}
#else
#define KWAITD_NATIVE_HANGUP 0

static inline bool pid_has_pidfd(struct pid *pid)
{
	return false;
}

static inline struct pid *pidfd_poll_pid(struct file *file)
{
	return file->private_data;
}
#endif

/* 6.15: a pidfd tells the exit status. */
#ifdef PIDFD_INFO_EXIT
#define KWAITD_NATIVE_EXIT_INFO 1
#else
#define KWAITD_NATIVE_EXIT_INFO 0
#endif

/* 6.15: __rcu, since a node may get another name; one of cgroup2 never does. */
static inline const char *kernfs_node_name(struct kernfs_node *kn)
{
	return (const char __force *)READ_ONCE(kn->name);
}

/* As pidfs_exit() has it */
static inline u64 task_cgroup_id(struct task_struct *p)
{
	u64 id;

	rcu_read_lock();
	id = cgroup_id(task_dfl_cgroup(p));
	rcu_read_unlock();
	return id;
}

/*
 * The head of kernel/cgroup/pids.c's private struct, unchanged since the
 * controller was merged in 4.3. limits.c does not believe what it reads
 * through it unless it makes sense.
 */
struct pids_cgroup_head {
	struct cgroup_subsys_state css;
	atomic64_t counter;
	atomic64_t limit;
};

/*
 * 6.11: a task lets go of it as it exits. Before that a dead thread has one until it is
 * released, and seccomp(SECCOMP_FILTER_FLAG_TSYNC) looks at it.
 */
#ifdef CONFIG_SECCOMP_FILTER
#define task_seccomp_filter(p) READ_ONCE((p)->seccomp.filter)
#define task_seccomp_mode(p) READ_ONCE((p)->seccomp.mode)
#else
#define task_seccomp_filter(p) NULL
#define task_seccomp_mode(p) 0
#endif

#ifdef CONFIG_CGROUP_PIDS
static inline struct cgroup_subsys_state *task_pids_css(struct task_struct *p)
{
	return task_css(p, pids_cgrp_id);
}
#else
static inline struct cgroup_subsys_state *task_pids_css(struct task_struct *p)
{
	return NULL;
}
#endif

/* 6.14: before that pid_max is one for all namespaces, and not exported. */
static inline int pid_ns_pid_max(const struct pid_namespace *ns)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
	return READ_ONCE(ns->pid_max);
#else
	return PID_MAX_LIMIT;
#endif
}

/*
 * find_ge_pid(), which is not exported: the next process id that is in use in a namespace,
 * from *nr on. Sets *nr to its number there. Returns NULL if there is none. RCU; what is
 * returned outlives it only with a reference.
 */
static inline struct pid *pid_next(struct pid_namespace *ns, int *nr)
{
	return idr_get_next(&ns->idr, nr);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*fn)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#endif

/*
 * A direct call may go to any address, as to where a function's ftrace site ends.
 * Where static calls are indirect it may not, if the kernel has BTI or kCFI.
 */
#ifndef CONFIG_HAVE_STATIC_CALL_INLINE
#error "kwaitd wants static calls to be direct calls"
#endif

/* 6.2; before that struct ftrace_regs is struct pt_regs by another name */
#ifndef ftrace_regs_get_argument
#define ftrace_regs_get_argument(fregs, n) \
	regs_get_kernel_argument(&(fregs)->regs, n)
#define ftrace_regs_set_instruction_pointer(fregs, ip) \
	ftrace_instruction_pointer_set(fregs, ip)
#endif

#endif /* _KWAITD_COMPAT_H */
