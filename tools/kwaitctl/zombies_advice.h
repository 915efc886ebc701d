/* SPDX-License-Identifier: GPL-2.0 */
/* What to do about the zombies of one parent. */
#ifndef _KWAITCTL_ZOMBIES_ADVICE_H
#define _KWAITCTL_ZOMBIES_ADVICE_H

#include <stddef.h>

struct group;

const char *zombies_advice(const struct group *g, char *buf, size_t size);

#endif /* _KWAITCTL_ZOMBIES_ADVICE_H */
