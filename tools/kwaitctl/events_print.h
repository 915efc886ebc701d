/* SPDX-License-Identifier: GPL-2.0 */
/* How an event is shown: as a sentence or as JSON, on a line. */
#ifndef _KWAITCTL_EVENTS_PRINT_H
#define _KWAITCTL_EVENTS_PRINT_H

struct tep_event;
struct tep_record;

void events_print_line(struct tep_event *event, struct tep_record *record,
		       double t);
void events_print_json(struct tep_event *event, struct tep_record *record,
		       double t);

#endif /* _KWAITCTL_EVENTS_PRINT_H */
