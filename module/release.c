// SPDX-License-Identifier: GPL-2.0
/*
 * Who releases a dying task, and when: it is queued, or it is released at once; and those
 * who would wait for a queued task take it out of its queue and release it themselves.
 *
 * So nobody waits for kwaitd to get a CPU. There are two rules:
 *
 *  1. Who is last does the work. While there are no more than two threads of a process
 *     that are alive, none of its dead threads is in a queue. The thread whose death leaves
 *     two or fewer is not queued, and before its own release it releases those that are.
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
 *	there were at least two besides the first thread, or none was queued: the last one
 *	to die releases the others: rule 1, which says two and not one because that death
 *	may leave the first thread, which also dies, and is no thread that can release.
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
 * A task that kwaitd has taken out and is about to release is in no queue. Whoever waits
 * for that one waits as on a stock kernel for a thread that is about to release itself.
 *
 * If the hook in zap_pid_ns_processes() is missing, the end of a namespace waits for
 * kwaitd. So does whoever waits in the moment in which the module is being unloaded.
 */
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "count.h"
#include "defer.h"
#include "drain.h"
#include "queue.h"
#include "release.h"
#include "task.h"
#include "trace.h"

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
	       peek(p->signal->nr_threads) > atomic_read(&p->signal->live) + 1;
}

/**
 * kwaitd_release_decide() - who releases a dying task, and when?
 * @p: the task, at the entry of release_task()
 * @kind: what it is
 *
 * If @p is not current, this is somebody's wait4() or execve(), and @p is released at once.
 *
 * Context: release hook; preemption off, no locks held.
 */
enum kwaitd_release kwaitd_release_decide(struct task_struct *p, enum kwaitd_kind kind)
{
	struct pid_namespace *ns;
	enum kwaitd_counter reason;
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
	kwaitd_count(queued_as(p, kind));
	trace_kwaitd_queue(p, backlog + 1);
	backlog = kwaitd_queue_add(p, kind == KWAITD_KIND_ORPHAN);
	if (backlog > this_cpu_read(kwaitd_stats.backlog_max))
		this_cpu_write(kwaitd_stats.backlog_max, backlog);
	/*
	 * Somebody may have begun to wait since kwaitd_defer_refused() looked. Either he
	 * has found p in its queue, or it is seen here that he waits: kwaitd_queue_add() is
	 * a barrier, and on the other side there is one after he has changed what is looked
	 * at. That is the decrement of signal->live in do_exit() for a thread, and also for
	 * an init, which sets PF_EXITING before.
	 */
	kwaitd_drain_soon(backlog);
	if (unlikely(kwaitd_defer_few(p) || kwaitd_defer_namespace_ends(ns)))
		return KWAITD_RELEASE_COLLECT_ALL;
	return KWAITD_RELEASE_LATER;
now:
	return leaves_dead(p) ? KWAITD_RELEASE_COLLECT : KWAITD_RELEASE_NOW;
}

/**
 * kwaitd_release_collect() - release what is queued of a process
 * @p: current, which is one of its threads; or a thread that current is about to release
 *
 * Context: process context; may sleep.
 */
void kwaitd_release_collect(struct task_struct *p)
{
	struct task_struct *t;
	LIST_HEAD(dead);

	rcu_read_lock();
	for_each_thread(p, t)
		kwaitd_queue_move(t, &dead);
	rcu_read_unlock();
	kwaitd_drain_moved(&dead);
}

/**
 * kwaitd_release_collect_namespace() - release what is queued of a pid namespace
 * @ns: its init is dying, and has PF_EXITING
 *
 * Context: process context; may sleep.
 */
void kwaitd_release_collect_namespace(struct pid_namespace *ns)
{
	struct task_struct *p;
	struct pid *pid;
	LIST_HEAD(dead);
	int nr;

	rcu_read_lock();
	for (nr = 1; (pid = pid_next(ns, &nr)); nr++) {
		p = pid_task(pid, PIDTYPE_PID);
		if (p)
			kwaitd_queue_move(p, &dead);
	}
	rcu_read_unlock();
	kwaitd_drain_moved(&dead);
}
