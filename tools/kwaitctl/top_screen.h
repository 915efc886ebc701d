/* SPDX-License-Identifier: GPL-2.0 */
/* The terminal: a screen of its own for a while, its lines and its keys. */
#ifndef _KWAITCTL_TOP_SCREEN_H
#define _KWAITCTL_TOP_SCREEN_H

#include <stdbool.h>

#include "util.h"

struct screen {
	bool batch;	/* no terminal: lines one after the other */
	int lines_left;	/* may be negative; means nothing if batch */
};

void screen_enter(const struct screen *s);
void screen_leave(const struct screen *s);
bool screen_key_quits(double seconds);
void screen_begin(struct screen *s);
__printf(2, 3) void screen_line(struct screen *s, const char *fmt, ...);
void screen_end(struct screen *s);

#endif /* _KWAITCTL_TOP_SCREEN_H */
