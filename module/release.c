// SPDX-License-Identifier: GPL-2.0
/*
 * Who releases a dying task, and when: it is queued, or it is released at once; and those
 * who would wait for a queued task take it out of its queue and release it themselves.
 *
 * So nobody waits until kwaitd comes to a task. There are two rules:
 *
 *  1. Who is last does the work. A thread whose death leaves two threads of its process
 *     alive, or fewer, is not queued. Before it is released it releases those dead threads
 *     of its process that are queued.
 *  2. The init of a pid namespace that comes to its end releases what is queued of the
 *     namespace, and from then on nothing of the namespace is queued.
 *
 * Who waits for a release on a stock kernel, and why he does not wait for kwaitd:
 *
 *   wait4() for a process, its SIGCHLD, and POLLIN of a pidfd
 *	come when the last thread has been released: rule 1. A tracer that is not the
 *	parent waits in the same place.
 *   execve()
 *	waits for all other threads, the dead ones included. Those alive are killed, and
 *	one of them is not the first thread, or none is queued. The last one of them to
 *	die releases the others: rule 1. The rule says two and not one since that death
 *	may leave the first thread, whose own death does not come by here.
 *   the end of a pid namespace
 *	waits until no process id of it is in use: rule 2, and rule 1 for the init itself.
 *   unshare(CLONE_NEWUSER), setns()
 *	do not wait: they fail while there are other threads, be they dead. Once a thread
 *	is the only one there is no queued one: rule 1.
 *   a core dump
 *	waits for threads that are alive to stop, and not for a release.
 *   SIGHUP and SIGCONT for an orphaned process group
 *	need to see that all of a dead member is dead: rule 1.
 *
 * What is left:
 *
 *  - A task that kwaitd has taken out of its queue, and has not quite released when it
 *    loses the CPU. Whoever waits for that task waits until kwaitd has the CPU again. On a
 *    stock kernel the same can happen to a thread that releases itself; but that thread
 *    may be moved to another CPU, and may have a higher priority.
 *  - EPOLLHUP of a pidfd that was opened when the task was dead, or of any before 6.9; and,
 *    before 6.11, of a seccomp listener whose last user is queued.
 *  - The end of a namespace, if the hook in zap_pid_ns_processes() is missing; anybody, in
 *    the moment in which the module is unloaded; and from 6.4 to 6.9 the execve() of a
 *    process with a worker of vhost, which is not counted and lives on.
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "count.h"
#include "defer.h"
#include "drain.h"
#include "param.h"
#include "queue.h"
#include "release.h"
#include "task.h"
#include "trace.h"

/**
 * kwaitd_release_may_collect() - may there be something to collect, and may it be done?
 *
 * Until the module is live the load may fail, and it does not wait for those who sleep in
 * what runs in place of a function.
 *
 * Context: any, after a full memory barrier.
 */
bool kwaitd_release_may_collect(void)
{
	return READ_ONCE(kwaitd_live) && kwaitd_drain_pending();
}

static enum kwaitd_counter queued_as(struct task_struct *p, enum kwaitd_kind kind)
{
	if (!thread_group_leader(p))
		return KWAITD_QUEUED_THREADS;
	return kind == KWAITD_KIND_ORPHAN ? KWAITD_QUEUED_ORPHANS :
					    KWAITD_QUEUED_PROCESSES;
}

/* Are there dead threads in the process of a thread that leaves at most two alive? */
static bool leaves_dead(struct task_struct *p)
{
	/* nr_threads is of those not yet released, so p is one, and two may be alive. */
	return kwaitd_defer_few(p) &&
	       peek(p->signal->nr_threads) > atomic_read(&p->signal->live) + 1 &&
	       kwaitd_release_may_collect();
}

/**
 * kwaitd_release_decide() - who releases a dying task, and when?
 * @p: the task, at the entry of release_task()
 * @kind: what it is
 *
 * If @p is not current, it is somebody's wait4() or execve(), or the end of a parent or
 * tracer, and @p is released at once.
 *
 * Context: release hook; preemption off, no locks held.
 */
enum kwaitd_release kwaitd_release_decide(struct task_struct *p, enum kwaitd_kind kind)
{
	struct pid_namespace *ns;
	enum kwaitd_counter reason;
	struct pid *pid;
	unsigned int backlog;

	if (p != current || !kwaitd_defer_wanted(p, kind))
		goto now;
	backlog = kwaitd_queue_backlog(smp_processor_id());
	reason = kwaitd_defer_refused(p, kwaitd_queue_is_open(), backlog);
	if (reason != KWAITD_NR_COUNTERS) {
		kwaitd_count(reason);
		trace_kwaitd_inline(p, kwaitd_count_name(reason),
				    kind == KWAITD_KIND_ORPHAN);
		goto now;
	}
	/* Not to be had from p any more once it may have been released. */
	ns = task_active_pid_ns(p);
	pid = task_pid(p);
	kwaitd_count(queued_as(p, kind));
	trace_kwaitd_queue(p, backlog + 1);
	backlog = kwaitd_queue_add(p, kind == KWAITD_KIND_ORPHAN);
	if (backlog > this_cpu_read(kwaitd_stats.backlog_max))
		this_cpu_write(kwaitd_stats.backlog_max, backlog);
	kwaitd_drain_soon(backlog);
	/*
	 * Somebody may have begun to wait since kwaitd_defer_refused() looked. Either that
	 * one has found p in its queue, or it is seen here: kwaitd_queue_add() is a barrier,
	 * and on the other side there is one after what is looked at has been changed. It is
	 * the decrement of signal->live in do_exit(), for a thread and also for an init,
	 * which sets PF_EXITING before.
	 */
	if (unlikely(kwaitd_defer_few(p) || kwaitd_defer_namespace_ends(ns) ||
		     pid_has_pidfd(pid)))
		return KWAITD_RELEASE_COLLECT_ALL;
	return KWAITD_RELEASE_LATER;
now:
	return leaves_dead(p) ? KWAITD_RELEASE_COLLECT : KWAITD_RELEASE_NOW;
}

/*
 * Whoever releases the tasks that he waits for is not done sooner if he lets go of the CPU
 * between two of them: with many others that want it he waits for a turn of each of them.
 * So he does that only after so many that others would wait for long.
 */
#define BURST 64

static void release_taken(struct task_struct *p, const struct kwaitd_queued *was,
			  unsigned int *n)
{
	kwaitd_drain_taken(p, was);
	if (++*n % BURST == 0)
		cond_resched();
}

/* Take one of the dead threads of the process of @p out of its queue. */
static struct task_struct *take_thread(struct task_struct *p, struct kwaitd_queued *was)
{
	struct task_struct *t;

	rcu_read_lock();
	for_each_thread(p, t) {
		if (kwaitd_queue_take(t, was)) {
			rcu_read_unlock();
			return t;
		}
	}
	rcu_read_unlock();
	return NULL;
}

/**
 * kwaitd_release_collect() - release what is queued of a process
 * @p: current, which is one of its threads; or a thread that current is about to release
 *
 * Context: process context; may sleep.
 */
void kwaitd_release_collect(struct task_struct *p)
{
	struct kwaitd_queued was;
	struct task_struct *t;
	unsigned int n = 0;

	while ((t = take_thread(p, &was)))
		release_taken(t, &was, &n);
}

/* Take the next queued task of a pid namespace, from the number *nr on. */
static struct task_struct *take_next(struct pid_namespace *ns, int *nr,
				     struct kwaitd_queued *was)
{
	struct task_struct *p;
	struct pid *pid;

	rcu_read_lock();
	for (; (pid = pid_next(ns, nr)); ++*nr) {
		p = pid_task(pid, PIDTYPE_PID);
		if (p && kwaitd_queue_take(p, was)) {
			rcu_read_unlock();
			return p;
		}
	}
	rcu_read_unlock();
	return NULL;
}

/**
 * kwaitd_release_collect_namespace() - release what is queued of a pid namespace
 * @ns: its init is dying, and has PF_EXITING
 *
 * Context: process context; may sleep.
 */
void kwaitd_release_collect_namespace(struct pid_namespace *ns)
{
	struct kwaitd_queued was;
	struct task_struct *p;
	unsigned int n = 0;
	int nr = 1;

	while ((p = take_next(ns, &nr, &was)))
		release_taken(p, &was, &n);
}
