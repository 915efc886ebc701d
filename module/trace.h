/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kwaitd

#if !defined(_KWAITD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KWAITD_TRACE_H

#include <linux/sched.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/tracepoint.h>

#include "compat.h"
#include "origin.h"
#include "task.h"

/* A child or thread was created detached; ok is 0 when no mark could be had. */
TRACE_EVENT(kwaitd_mark,
	TP_PROTO(struct task_struct *child, bool ok),
	TP_ARGS(child, ok),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(pid_t, tgid)
		__array(char, comm, TASK_COMM_LEN)
		__field(bool, ok)
	),
	TP_fast_assign(
		__entry->pid = child->pid;
		__entry->tgid = child->tgid;
		memcpy(__entry->comm, child->comm, TASK_COMM_LEN);
		__entry->ok = ok;
	),
	TP_printk("pid=%d tgid=%d comm=%s kind=%s ok=%d",
		  __entry->pid, __entry->tgid, __entry->comm,
		  __entry->pid == __entry->tgid ? "process" : "thread",
		  __entry->ok)
);

/* A dying task was queued for the kwaitd of its CPU. */
TRACE_EVENT(kwaitd_queue,
	TP_PROTO(struct task_struct *p, unsigned int backlog),
	TP_ARGS(p, backlog),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(pid_t, tgid)
		__array(char, comm, TASK_COMM_LEN)
		__field(int, exit_code)
		__field(unsigned int, backlog)
	),
	TP_fast_assign(
		__entry->pid = p->pid;
		__entry->tgid = p->tgid;
		memcpy(__entry->comm, p->comm, TASK_COMM_LEN);
		__entry->exit_code = kwaitd_exit_code(p);
		__entry->backlog = backlog;
	),
	TP_printk("pid=%d tgid=%d comm=%s exit_code=0x%x backlog=%u",
		  __entry->pid, __entry->tgid, __entry->comm,
		  __entry->exit_code, __entry->backlog)
);

/*
 * A dying task that might have been queued is released at once, and why. For orphans
 * the rest is as in kwaitd_reap.
 */
TRACE_EVENT(kwaitd_inline,
	TP_PROTO(struct task_struct *p, const char *reason, bool orphan),
	TP_ARGS(p, reason, orphan),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(pid_t, tgid)
		__array(char, comm, TASK_COMM_LEN)
		__field(int, exit_code)
		__array(char, reason, 24)
		__field(bool, orphan)
		__field(pid_t, ppid)
		__array(char, pcomm, TASK_COMM_LEN)
		__field(pid_t, ns_pid)
		__field(u64, cgroup)
	),
	TP_fast_assign(
		__entry->pid = p->pid;
		__entry->tgid = p->tgid;
		memcpy(__entry->comm, p->comm, TASK_COMM_LEN);
		__entry->exit_code = kwaitd_exit_code(p);
		strscpy_pad(__entry->reason, reason, 24);
		__entry->orphan = orphan;
		kwaitd_origin_find(p, &__entry->ppid, __entry->pcomm);
		__entry->ns_pid = task_pid_nr_ns(p, task_active_pid_ns(p));
		__entry->cgroup = task_cgroup_id(p);
	),
	TP_printk("pid=%d tgid=%d comm=%s exit_code=0x%x reason=%s orphan=%d ppid=%d pcomm=%s ns_pid=%d cgroup=%llu",
		  __entry->pid, __entry->tgid, __entry->comm,
		  __entry->exit_code, __entry->reason, __entry->orphan,
		  __entry->ppid, __entry->pcomm, __entry->ns_pid,
		  __entry->cgroup)
);

/*
 * A task that was queued, or an adopted reaper's orphan, is about to be released.
 * latency: ns since it was queued, 0 if it was not; utime and stime: ns of CPU time
 * of this task alone, as top would show it; ppid and pcomm: of the parent that it
 * was born of, if it is an orphan and that is known; ns_pid: its number in its own
 * pid namespace; cgroup: the id of its cgroup (version 2).
 */
TRACE_EVENT(kwaitd_reap,
	TP_PROTO(struct task_struct *p, unsigned int queue_cpu, u64 latency,
		 bool orphan),
	TP_ARGS(p, queue_cpu, latency, orphan),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(pid_t, tgid)
		__array(char, comm, TASK_COMM_LEN)
		__field(int, exit_code)
		__field(unsigned int, queue_cpu)
		__field(unsigned int, reap_cpu)
		__field(u64, latency)
		__field(u64, utime)
		__field(u64, stime)
		__field(bool, orphan)
		__field(pid_t, ppid)
		__array(char, pcomm, TASK_COMM_LEN)
		__field(pid_t, ns_pid)
		__field(u64, cgroup)
	),
	TP_fast_assign(
		__entry->pid = p->pid;
		__entry->tgid = p->tgid;
		memcpy(__entry->comm, p->comm, TASK_COMM_LEN);
		__entry->exit_code = kwaitd_exit_code(p);
		__entry->queue_cpu = queue_cpu;
		__entry->reap_cpu = raw_smp_processor_id();
		__entry->latency = latency;
		task_cputime_adjusted(p, &__entry->utime, &__entry->stime);
		__entry->orphan = orphan;
		kwaitd_origin_find(p, &__entry->ppid, __entry->pcomm);
		__entry->ns_pid = task_pid_nr_ns(p, task_active_pid_ns(p));
		__entry->cgroup = task_cgroup_id(p);
	),
	TP_printk("pid=%d tgid=%d comm=%s exit_code=0x%x queue_cpu=%u reap_cpu=%u latency=%llu utime=%llu stime=%llu orphan=%d ppid=%d pcomm=%s ns_pid=%d cgroup=%llu",
		  __entry->pid, __entry->tgid, __entry->comm,
		  __entry->exit_code, __entry->queue_cpu, __entry->reap_cpu,
		  __entry->latency, __entry->utime, __entry->stime,
		  __entry->orphan, __entry->ppid, __entry->pcomm,
		  __entry->ns_pid, __entry->cgroup)
);

#endif /* _KWAITD_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
