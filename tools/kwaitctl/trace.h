/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoints, in a tracing instance of our own. A function that fails has said why
 * on stderr.
 */
#ifndef _KWAITCTL_TRACE_H
#define _KWAITCTL_TRACE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct tep_event;
struct tep_record;
struct trace;

typedef int (*trace_fn)(struct tep_event *event, struct tep_record *record,
			void *context);

struct trace *trace_open(const char * const *events, unsigned int nr);
int trace_read(struct trace *trace, trace_fn fn, void *context);
__u64 trace_lost(const struct trace *trace);
void trace_close(struct trace *trace);
bool trace_has(struct tep_event *event, const char *field);
long long trace_number(struct tep_event *event, struct tep_record *record,
		       const char *field);
void trace_text(struct tep_event *event, struct tep_record *record,
		const char *field, char *buf, size_t size);

#endif /* _KWAITCTL_TRACE_H */
