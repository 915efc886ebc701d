// SPDX-License-Identifier: GPL-2.0
/*
 * The module's tracepoints. They are enabled in a tracing instance of our own, so
 * nobody else's tracing is disturbed, and it takes all of this with it when it is
 * destroyed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>
#include <unistd.h>

#include "device.h"
#include "trace.h"
#include "util.h"

#define SYSTEM "kwaitd"
#define TRACEFS "/sys/kernel/tracing"

struct trace {
	struct tracefs_instance *instance;
	struct tep_handle *tep;
	__u64 lost;
	trace_fn fn;
	void *context;
};

static void explain(const char *what)
{
	int err = errno;

	if (geteuid())
		util_error("%s: only root may trace", what);
	else if (!device_module_loaded())
		device_explain_absence();
	else if (!strcmp(util_lockdown(), "confidentiality"))
		util_error("the kernel is locked down: no tracing, but 'kwaitctl stat' works");
	else
		util_error("%s: %s ('mount -t tracefs none " TRACEFS "' if that is missing)",
			   what, strerror(err));
}

static int note_lost(struct tep_event *event, struct tep_record *record,
		     int cpu, void *context)
{
	struct trace *trace = context;

	(void)event;
	(void)cpu;
	/* -1: not known how many */
	trace->lost += record->missed_events > 0 ? record->missed_events : 1;
	return 0;
}

static bool create_instance(struct trace *trace)
{
	char name[32];

	snprintf(name, sizeof(name), "kwaitctl-%d", getpid());
	trace->instance = tracefs_instance_create(name);
	if (!trace->instance) {
		explain("a tracing instance");
		return false;
	}
	/* Of the clocks that an event may have it is the one we can convert. */
	tracefs_instance_file_write(trace->instance, "trace_clock", "mono");
	tracefs_follow_missed_events(trace->instance, note_lost, trace);
	return true;
}

static bool load_formats(struct trace *trace)
{
	static const char * const systems[] = { SYSTEM, NULL };

	trace->tep = tracefs_local_events_system(NULL, systems);
	if (trace->tep)
		return true;
	explain("the formats of the tracepoints");
	return false;
}

static bool enable(struct trace *trace, const char * const *events,
		   unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		/* libtracefs leaves none if the event is not there. */
		errno = ENOENT;
		if (tep_find_event_by_name(trace->tep, SYSTEM, events[i]) &&
		    !tracefs_event_enable(trace->instance, SYSTEM, events[i]))
			continue;
		explain(events[i]);
		return false;
	}
	return true;
}

/**
 * trace_open() - start tracing
 * @events: names of tracepoints
 * @nr: how many
 *
 * Have signals caught before, or the instance stays behind.
 *
 * Return: for trace_close(), or NULL
 */
struct trace *trace_open(const char * const *events, unsigned int nr)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (!trace) {
		util_perror("memory");
		return NULL;
	}
	if (!create_instance(trace) || !load_formats(trace) ||
	    !enable(trace, events, nr)) {
		trace_close(trace);
		return NULL;
	}
	return trace;
}

static int call(struct tep_event *event, struct tep_record *record, int cpu,
		void *context)
{
	struct trace *trace = context;

	(void)cpu;
	return util_stopped() || trace->fn(event, record, trace->context);
}

/**
 * trace_read() - what has happened since the last time
 * @trace: from trace_open()
 * @fn: called for each event, in their order. If it does not return 0 it is not
 *	called again, and events are lost
 * @context: for fn
 *
 * Does not wait for events.
 *
 * Return: 0 or -1
 */
int trace_read(struct trace *trace, trace_fn fn, void *context)
{
	trace->fn = fn;
	trace->context = context;
	if (tracefs_iterate_raw_events(trace->tep, trace->instance, NULL, 0,
				       call, trace)) {
		explain("reading events");
		return -1;
	}
	if (device_module_loaded())
		return 0;
	util_error("the module was unloaded");
	return -1;
}

/* How many events there was no room for, at least */
__u64 trace_lost(const struct trace *trace)
{
	return trace->lost;
}

void trace_close(struct trace *trace)
{
	if (!trace)
		return;
	if (trace->instance) {
		tracefs_event_disable(trace->instance, SYSTEM, NULL);
		tracefs_instance_destroy(trace->instance);
		tracefs_instance_free(trace->instance);
	}
	if (trace->tep)
		tep_free(trace->tep);
	free(trace);
}

bool trace_has(struct tep_event *event, const char *field)
{
	return tep_find_field(event, field);
}

/* Sign extended as the field's type has it; 0 if there is none */
long long trace_number(struct tep_event *event, struct tep_record *record,
		       const char *field)
{
	struct tep_format_field *f = tep_find_field(event, field);
	__u64 val;

	if (!f || tep_read_number_field(f, record->data, &val))
		return 0;
	if (f->size == 4 && f->flags & TEP_FIELD_IS_SIGNED)
		return (int)val;
	return val;
}

/* An array of char, "" if there is none */
void trace_text(struct tep_event *event, struct tep_record *record,
		const char *field, char *buf, size_t size)
{
	const char *text;
	char copy[64];
	int len;

	*buf = '\0';
	text = tep_get_field_raw(NULL, event, field, record, &len, 0);
	if (!text || len < 0)
		return;
	snprintf(copy, sizeof(copy), "%.*s", len, text);
	util_printable(buf, size, copy);
}
