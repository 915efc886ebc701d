/* SPDX-License-Identifier: GPL-2.0 */
/* What is on the screen. */
#ifndef _KWAITCTL_TOP_PRINT_H
#define _KWAITCTL_TOP_PRINT_H

struct interval;
struct leaks;
struct screen;

void top_print(struct screen *s, struct interval *i, struct leaks *leaks);

#endif /* _KWAITCTL_TOP_PRINT_H */
