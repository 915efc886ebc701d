// SPDX-License-Identifier: GPL-2.0
/* How an event is shown: as a sentence or as JSON, on a line. */
#include <json.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <tracefs.h>

#include "debugfs.h"
#include "events_print.h"
#include "trace.h"
#include "util.h"

static void print_time(double t)
{
	time_t s = t;
	struct tm tm;
	char buf[16];

	localtime_r(&s, &tm);
	strftime(buf, sizeof(buf), "%H:%M:%S", &tm);
	printf("%s.%06u ", buf, (unsigned int)((t - s) * 1e6));
}

static void print_task(struct tep_event *event, struct tep_record *record)
{
	int pid = trace_number(event, record, "pid");
	int tgid = trace_number(event, record, "tgid");
	int ns_pid = trace_number(event, record, "ns_pid");
	char comm[17];

	trace_text(event, record, "comm", comm, sizeof(comm));
	if (pid != tgid)
		printf("thread %d of %d (%s)", pid, tgid, comm);
	else if (trace_number(event, record, "orphan"))
		printf("orphan %d (%s)", pid, comm);
	else
		printf("process %d (%s)", pid, comm);
	if (ns_pid && ns_pid != pid)
		printf(" in ns %d", ns_pid);
}

static void print_parent(struct tep_event *event, struct tep_record *record)
{
	int ppid = trace_number(event, record, "ppid");
	char pcomm[17];

	trace_text(event, record, "pcomm", pcomm, sizeof(pcomm));
	if (ppid && *pcomm)
		printf(", child of %d (%s)", ppid, pcomm);
	else if (ppid)
		printf(", child of %d", ppid);
}

static void print_status(struct tep_event *event, struct tep_record *record)
{
	int status = trace_number(event, record, "exit_code");

	if (WIFEXITED(status))
		printf(", exited %d", WEXITSTATUS(status));
	else
		printf(", killed by signal %d%s", WTERMSIG(status),
		       WCOREDUMP(status) ? " (core dumped)" : "");
}

/* A zombie has never been queued, so it has no latency. */
static bool was_swept(struct tep_event *event, struct tep_record *record)
{
	return trace_number(event, record, "orphan") &&
	       !trace_number(event, record, "latency");
}

static void print_release(struct tep_event *event, struct tep_record *record)
{
	int from = trace_number(event, record, "queue_cpu");
	int cpu = trace_number(event, record, "reap_cpu");
	char buf[16];

	if (was_swept(event, record)) {
		printf(", was a zombie until now");
		return;
	}
	latency_text(buf, sizeof(buf), trace_number(event, record, "latency"));
	if (cpu == from)
		printf(", released by kwaitd/%d after %s", cpu, buf);
	else
		printf(", released by CPU %d instead of kwaitd/%d after %s",
		       cpu, from, buf);
}

static void print_cgroup(struct tep_event *event, struct tep_record *record)
{
	if (trace_has(event, "cgroup"))
		printf(", cgroup %lld", trace_number(event, record, "cgroup"));
}

static void print_reap(struct tep_event *event, struct tep_record *record)
{
	print_task(event, record);
	print_parent(event, record);
	print_status(event, record);
	print_release(event, record);
	print_cgroup(event, record);
}

static void print_inline(struct tep_event *event, struct tep_record *record)
{
	static const char prefix[] = "inline_";
	char reason[32], *r = reason;

	trace_text(event, record, "reason", reason, sizeof(reason));
	if (!strncmp(r, prefix, strlen(prefix)))
		r += strlen(prefix);
	print_task(event, record);
	print_parent(event, record);
	print_status(event, record);
	printf(", released at once: %s", r);
	print_cgroup(event, record);
}

static void print_mark(struct tep_event *event, struct tep_record *record)
{
	print_task(event, record);
	if (trace_number(event, record, "ok"))
		printf(" created detached");
	else
		printf(" is an ordinary one: no memory to mark it detached");
}

static void print_queue(struct tep_event *event, struct tep_record *record)
{
	print_task(event, record);
	print_status(event, record);
	printf(", queued, backlog %lld",
	       trace_number(event, record, "backlog"));
}

static const struct {
	const char *name;
	void (*print)(struct tep_event *event, struct tep_record *record);
} sentences[] = {
	{ "kwaitd_reap", print_reap },
	{ "kwaitd_inline", print_inline },
	{ "kwaitd_mark", print_mark },
	{ "kwaitd_queue", print_queue },
};

/**
 * events_print_line() - tell of an event in a sentence
 * @event: what happened
 * @record: to whom
 * @t: when, by the wall clock, in seconds
 */
void events_print_line(struct tep_event *event, struct tep_record *record,
		       double t)
{
	unsigned int i;

	print_time(t);
	for (i = 0; i < ARRAY_SIZE(sentences); i++) {
		if (!strcmp(event->name, sentences[i].name))
			sentences[i].print(event, record);
	}
	putchar('\n');
}

/* All fields of an event, named as the tracepoint names its fields */
void events_print_json(struct tep_event *event, struct tep_record *record,
		       double t)
{
	struct json_object *json = json_object_new_object(), *val;
	struct tep_format_field *f;
	char buf[64];

	json_object_object_add(json, "event",
			       json_object_new_string(event->name));
	json_object_object_add(json, "time", json_object_new_double(t));
	for (f = event->format.fields; f; f = f->next) {
		if (f->flags & TEP_FIELD_IS_ARRAY) {
			trace_text(event, record, f->name, buf, sizeof(buf));
			val = json_object_new_string(buf);
		} else if (!strcmp(f->type, "bool")) {
			val = json_object_new_boolean(trace_number(event, record,
								   f->name));
		} else {
			val = json_object_new_int64(trace_number(event, record,
								 f->name));
		}
		json_object_object_add(json, f->name, val);
	}
	util_json_end(json, false);
}
