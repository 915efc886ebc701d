/* SPDX-License-Identifier: GPL-2.0 */
/* How zombies are shown: as a table or as JSON. */
#ifndef _KWAITCTL_ZOMBIES_PRINT_H
#define _KWAITCTL_ZOMBIES_PRINT_H

struct group;
struct json_object;

void zombies_print_head(void);
void zombies_print_group(const struct group *g);
struct json_object *zombies_group_json(const struct group *g);

#endif /* _KWAITCTL_ZOMBIES_PRINT_H */
