/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kwaitd: children and threads that nobody has to wait for.
 *
 * The way of a task through these files:
 *
 *   clone(CLONE_DETACHED)            exit()
 *   clone3(CLONE_AUTOREAP): clone3.c    |
 *           |                           |
 *    hooks.c: fork             hooks.c: notify
 *           |                           |  marked? reap it, tell nobody
 *    mark.c: kwaitd_mark_fork           |  how did it end? status.c, ctl.c
 *                              hooks.c: release
 *                                       |  may it wait a moment?
 *                              reaper.c: kwaitd_reaper_queue
 *                                       |
 *                              reaper.c: kwaitd/N -> release_task()
 *                                       |
 *                              stats.c, trace.h
 *
 * Orphans of an adopted reaper go the same way from the notify hook on. Who is one,
 * and zombies that have not been waited for: adopt.h.
 */
#ifndef _KWAITD_H
#define _KWAITD_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/static_call_types.h>
#include <linux/types.h>

struct kernel_clone_args;
struct pid;
struct seq_file;
struct task_struct;
struct workqueue_struct;

/*
 * A field that the kernel writes by plain stores under a lock that is not held here.
 * What is read is whole, and is but a hint, or does not change any more.
 */
#define peek(field) data_race(READ_ONCE(field))

/* What wait4() would tell of a thread, or of a process of which all threads are dead */
static inline int kwaitd_exit_code(struct task_struct *p)
{
	if (thread_group_leader(p) && peek(p->signal->flags) & SIGNAL_GROUP_EXIT)
		return p->signal->group_exit_code;
	return p->exit_code;
}

/* param.c: parameters; main.c: the state of the module */

/* Which exits are deferred to kwaitd; each includes the ones before it. */
enum kwaitd_offload {
	KWAITD_OFFLOAD_NONE,
	KWAITD_OFFLOAD_DETACHED,	/* created detached, and adopted orphans */
	KWAITD_OFFLOAD_ALL,		/* whatever nobody waits for */
};

/* What to do for clone3(), if this kernel's does not know CLONE_AUTOREAP */
enum kwaitd_clone3 {
	KWAITD_CLONE3_OFF,
	KWAITD_CLONE3_ON,
	KWAITD_CLONE3_AUTO,		/* on, if it can be had */
};

/* Not written once the module is loaded. */
extern unsigned int kwaitd_clone3;

/* Written by sysfs, under its param_lock; read with READ_ONCE() anywhere. */
extern unsigned int kwaitd_offload;
extern unsigned int kwaitd_batch;
extern unsigned int kwaitd_max_backlog;
extern unsigned int kwaitd_grace_ms;

/*
 * Set when the load has succeeded, cleared as the first act of the unload.
 * While clear nothing is marked and nothing queued, except for the self-test's
 * own thread.
 */
extern bool kwaitd_live;

/* later.c: what waits for nobody. Unbound: who keeps a CPU does not keep work. */
extern struct workqueue_struct *kwaitd_wq;

/* hooks.c: where the kernel's code is left, and come back to */

int kwaitd_hooks_init(void);
void kwaitd_hooks_exit(void);
void kwaitd_hooks_show(struct seq_file *m);
const char *kwaitd_hooks_silent(void);
unsigned long kwaitd_hooks_symbol(const char *name);
bool kwaitd_hooks_clone3(void);

/* release_task(), past the hook. It is not exported. */
DECLARE_STATIC_CALL(kwaitd_release_body, release_task);

/* clone3.c: CLONE_AUTOREAP for kernels that do not know it */

int kwaitd_clone3_args(struct kernel_clone_args *kargs);

/* mark.c: who was created detached; pool.c: memory for that */

extern atomic_long_t kwaitd_mark_live, kwaitd_mark_records;

/*
 * Is there a mark or a record? Never, where the kernel keeps them. A mark that becomes
 * a record is counted there before it is no longer counted here.
 */
static inline bool kwaitd_mark_any(void)
{
	return unlikely(atomic_long_read(&kwaitd_mark_live) ||
			atomic_long_read(&kwaitd_mark_records));
}

void kwaitd_mark_exit(void);
void kwaitd_mark_fork(struct task_struct *child, u64 clone_flags);
bool kwaitd_mark_test(struct task_struct *leader);
bool kwaitd_mark_test_thread(const struct task_struct *p);
bool kwaitd_mark_release(struct task_struct *leader);
bool kwaitd_mark_known(struct pid *pid);
bool kwaitd_mark_gone(struct pid *pid);
int kwaitd_mark_status(struct pid *pid, u64 *cgroupid, s32 *exit_code);
void kwaitd_mark_sweep(void);

int kwaitd_pool_init(void);
void kwaitd_pool_exit(void);
bool kwaitd_pool_wanting(void);
void kwaitd_pool_refill(void);

/* status.c, ctl.c: how a detached process ended, and /dev/kwaitd to ask it */

void kwaitd_status_init(void);
void kwaitd_status_exit(void);
int kwaitd_ctl_init(void);
void kwaitd_ctl_exit(void);

/* reaper.c: the queues and threads */

/* What the kernel has made EXIT_DEAD, as far as the module is concerned */
enum kwaitd_kind {
	KWAITD_KIND_OTHER,
	KWAITD_KIND_DETACHED,
	KWAITD_KIND_ORPHAN,		/* of an adopted reaper */
};

int kwaitd_reaper_init(void);
void kwaitd_reaper_exit(void);
bool kwaitd_reaper_queue(struct task_struct *p, enum kwaitd_kind kind);
void kwaitd_reaper_release(struct task_struct *p);
void kwaitd_reaper_inline(struct task_struct *p);
void kwaitd_reaper_wake(void);
unsigned long kwaitd_reaper_backlog(unsigned int cpu);

/* limits.c: is somebody about to be refused a fork? */

bool kwaitd_limits_nproc(struct task_struct *p);
bool kwaitd_limits_pids(struct task_struct *p);
bool kwaitd_limits_pid_max(struct task_struct *p);

/* selftest.c: does it all work on this kernel? */

int kwaitd_selftest(void);
bool kwaitd_selftest_is_probe(const struct task_struct *p);

/* stats.c: counters and debugfs */

/*
 * One row of /sys/kernel/debug/kwaitd/per_cpu. All count events since load,
 * on the CPU where they happened. names: stats.c.
 */
enum kwaitd_counter {
	KWAITD_MARKED_THREADS,
	KWAITD_MARKED_PROCESSES,
	KWAITD_MARK_FAILED,
	KWAITD_QUEUED_THREADS,
	KWAITD_QUEUED_PROCESSES,
	KWAITD_QUEUED_ORPHANS,
	KWAITD_REAPED,
	KWAITD_REAPED_NS,
	KWAITD_WAKEUPS,
	KWAITD_STOLEN,
	KWAITD_ORPHANS,
	KWAITD_SWEPT,
	KWAITD_ADOPT_PAUSED,
	KWAITD_ADOPT_FAILED,
	/* Why a task that could have been queued was released at once: */
	KWAITD_INLINE_OFFLOAD,		/* the parameter says so */
	KWAITD_INLINE_KERNEL,		/* kernel thread or worker */
	KWAITD_INLINE_UNLOAD,		/* the module is on its way out */
	KWAITD_INLINE_PARKED,		/* this CPU has no kwaitd now */
	KWAITD_INLINE_BACKLOG,		/* max_backlog are queued here */
	KWAITD_INLINE_EXEC,		/* execve() waits for this thread */
	KWAITD_INLINE_LEADER_DEAD,	/* the parent waits for the group */
	KWAITD_INLINE_GROUP_EXIT,	/* ... and is about to */
	KWAITD_INLINE_LAST_THREAD,	/* one at a time, or all but one are dead */
	KWAITD_INLINE_PIDFD,		/* someone holds a pidfd */
	KWAITD_INLINE_NPROC,		/* user close to RLIMIT_NPROC */
	KWAITD_INLINE_PIDS,		/* cgroup close to pids.max */
	KWAITD_INLINE_PID_MAX,		/* namespace close to pid_max */
	KWAITD_NR_COUNTERS,
};

#define KWAITD_NR_LATENCIES 40	/* log2 of nanoseconds: up to 18 minutes */

struct kwaitd_stats {
	unsigned long count[KWAITD_NR_COUNTERS];
	unsigned long latency[KWAITD_NR_LATENCIES];
	unsigned long backlog_max;
};

/* Only ever changed on its own CPU, by single instructions: no lock. */
DECLARE_PER_CPU(struct kwaitd_stats, kwaitd_stats);

static inline void kwaitd_count(enum kwaitd_counter counter)
{
	this_cpu_inc(kwaitd_stats.count[counter]);
}

void kwaitd_stats_latency(u64 ns);
unsigned long kwaitd_stats_sum(enum kwaitd_counter counter);
const char *kwaitd_stats_name(enum kwaitd_counter counter);
void kwaitd_stats_init(void);
void kwaitd_stats_exit(void);

#endif /* _KWAITD_H */
