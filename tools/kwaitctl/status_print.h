/* SPDX-License-Identifier: GPL-2.0 */
/* How the module's status is shown: as text or as JSON. */
#ifndef _KWAITCTL_STATUS_PRINT_H
#define _KWAITCTL_STATUS_PRINT_H

#include <stdbool.h>

struct status;

void status_print_text(const struct status *s);
void status_print_json(const struct status *s);
void status_print_absence(bool json);
void status_print_disarmed(const struct status *s);

#endif /* _KWAITCTL_STATUS_PRINT_H */
