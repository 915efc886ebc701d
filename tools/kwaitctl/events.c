// SPDX-License-Identifier: GPL-2.0
/* A line for each exit that the module has to do with, as it happens. */
#include <getopt.h>
#include <json.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <tracefs.h>

#include "kwaitctl.h"

/* Between two looks; short enough to be called live */
#define INTERVAL 0.1

static const char usage[] =
"usage: kwaitctl events [OPTION]...\n"
"A line for each exit that kwaitd takes care of, as it happens.\n"
"\n"
"  -a, --all         also when tasks are created detached, and queued\n"
"  -j, --json        as JSON, an object a line\n"
"  -n, --count=N     stop after N events\n"
"  -h, --help\n";

/* Those without --all are first. */
static const char * const names[] = {
	"kwaitd_reap", "kwaitd_inline", "kwaitd_mark", "kwaitd_queue",
};

struct options {
	bool all;
	bool json;
	unsigned int count;	/* 0: no end */
	unsigned int seen;
	double offset;		/* of the wall clock to that of the events */
};

static double wall_offset(void)
{
	struct timespec wall, mono;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	return wall.tv_sec - mono.tv_sec +
	       (wall.tv_nsec - mono.tv_nsec) / 1e9;
}

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

/* An orphan that was a zombie has never been queued. */
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

static void print_line(struct tep_event *event, struct tep_record *record)
{
	static void (* const fns[])(struct tep_event *event,
				    struct tep_record *record) = {
		print_reap, print_inline, print_mark, print_queue,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(event->name, names[i]))
			fns[i](event, record);
	}
	putchar('\n');
}

/* All fields, by the names that the tracepoint has for them */
static void print_json(struct tep_event *event, struct tep_record *record,
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

static int print_event(struct tep_event *event, struct tep_record *record,
		       void *context)
{
	struct options *o = context;
	double t = record->ts / 1e9 + o->offset;

	if (o->json) {
		print_json(event, record, t);
	} else {
		print_time(t);
		print_line(event, record);
	}
	o->seen++;
	return util_flushed() != OK || (o->count && o->seen == o->count);
}

static void tell_lost(struct trace *trace, __u64 *told)
{
	__u64 lost = trace_lost(trace);

	if (lost != *told)
		util_error("%llu events or more came too fast, and are lost",
			   lost - *told);
	*told = lost;
}

static int follow(struct trace *trace, struct options *o)
{
	__u64 told = 0;

	do {
		/* The wall clock may have been set. */
		o->offset = wall_offset();
		if (trace_read(trace, print_event, o))
			return FAILED;
		tell_lost(trace, &told);
		if (ferror(stdout))
			return FAILED;
		if (o->count && o->seen >= o->count)
			return OK;
	} while (util_wait(INTERVAL));
	return OK;
}

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "json", no_argument, NULL, 'j' },
	{ "count", required_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_events(int argc, char **argv)
{
	struct options o = {};
	struct trace *trace;
	int c, status;

	while ((c = getopt_long(argc, argv, "ajn:h", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			o.all = true;
			break;
		case 'j':
			o.json = true;
			break;
		case 'n':
			if (!util_parse_count(optarg, &o.count))
				return USAGE;
			break;
		case 'h':
			return util_help(usage);
		default:
			return util_misused(usage);
		}
	}
	if (optind != argc)
		return util_misused(usage);
	util_catch_signals();
	trace = trace_open(names, o.all ? ARRAY_SIZE(names) : 2);
	if (!trace)
		return FAILED;
	status = follow(trace, &o);
	trace_close(trace);
	return status;
}
