// SPDX-License-Identifier: GPL-2.0
/*
 * Which programs leave orphans. The module counts orphans, but not whose children these
 * were; its tracepoints tell the name of each orphan's parent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top_leaks.h"
#include "trace.h"
#include "util.h"

static void count(struct leaks *leaks, const char *comm)
{
	unsigned int i;

	leaks->orphans++;
	for (i = 0; i < leaks->nr; i++) {
		if (!strcmp(leaks->all[i].comm, comm)) {
			leaks->all[i].nr++;
			return;
		}
	}
	if (i == MAX_LEAKS)
		return;
	snprintf(leaks->all[i].comm, sizeof(leaks->all[i].comm), "%s", comm);
	leaks->all[i].nr = 1;
	leaks->nr++;
}

static int see_event(struct tep_event *event, struct tep_record *record,
		     void *context)
{
	char comm[17];

	if (!trace_number(event, record, "orphan"))
		return 0;
	trace_text(event, record, "pcomm", comm, sizeof(comm));
	count(context, comm);
	return 0;
}

/* Without tracepoints nothing is counted, and the reason is on stderr. */
void leaks_open(struct leaks *leaks)
{
	/* Either kwaitd releases an orphan, or it is released at once. */
	static const char * const events[] = { "kwaitd_reap", "kwaitd_inline" };

	leaks->trace = trace_open(events, ARRAY_SIZE(events));
}

/* Count what has happened since the last time. Return: false if that failed */
bool leaks_read(struct leaks *leaks)
{
	return !leaks->trace || !trace_read(leaks->trace, see_event, leaks);
}

static int compare(const void *l, const void *r)
{
	const struct leak *a = l, *b = r;

	return (a->nr < b->nr) - (a->nr > b->nr);
}

/* Names with most orphans come first. */
void leaks_sort(struct leaks *leaks)
{
	qsort(leaks->all, leaks->nr, sizeof(*leaks->all), compare);
}

void leaks_close(struct leaks *leaks)
{
	trace_close(leaks->trace);
}
