// SPDX-License-Identifier: GPL-2.0
/* How zombies are shown, with the advice of zombies_advice.c: as a table or as JSON. */
#include <json.h>
#include <stdio.h>

#include "util.h"
#include "zombies_advice.h"
#include "zombies_find.h"
#include "zombies_group.h"
#include "zombies_print.h"

static const char * const sigchld_names[] = {
	[DEFAULT] = "default",
	[CAUGHT] = "caught",
	[IGNORED] = "ignored",
	[BLOCKED] = "blocked",
};

static const char *age_text(char *buf, size_t size, const struct zombie *z)
{
	char age[16];

	util_seconds(age, sizeof(age), z->age);
	snprintf(buf, size, "%s%s", z->exact ? "" : "<", age);
	return buf;
}

void zombies_print_head(void)
{
	printf("%7s %8s %8s %7s %-15s %-7s %s\n", "ZOMBIES", "OLDEST",
	       "YOUNGEST", "PARENT", "COMM", "SIGCHLD", "CGROUP");
}

void zombies_print_group(const struct group *g)
{
	char oldest[24], youngest[24], advice[512];

	printf("%7u %8s %8s %7d %-15s %-7s %s\n", g->nr - g->alive,
	       age_text(oldest, sizeof(oldest), g->first),
	       age_text(youngest, sizeof(youngest), group_youngest(g)),
	       g->parent.pid, g->parent.comm,
	       g->known ? sigchld_names[g->sigchld] : "?", g->cgroup);
	printf("        %s\n", zombies_advice(g, advice, sizeof(advice)));
	if (g->alive && g->alive != g->nr)
		printf("        %u more %s no zombie%s proper: threads still run\n",
		       g->alive, g->alive == 1 ? "is" : "are",
		       util_plural(g->alive));
}

static struct json_object *zombie_json(const struct zombie *z)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "pid", json_object_new_int(z->proc.pid));
	json_object_object_add(o, "comm", json_object_new_string(z->proc.comm));
	json_object_object_add(o, "age", json_object_new_double(z->age));
	json_object_object_add(o, "age_is_upper_bound",
			       json_object_new_boolean(!z->exact));
	json_object_object_add(o, "threads_run",
			       json_object_new_boolean(zombie_has_threads(z)));
	if (z->tracer)
		json_object_object_add(o, "tracer",
				       json_object_new_int(z->tracer));
	return o;
}

static struct json_object *parent_json(const struct group *g)
{
	struct json_object *o = json_object_new_object();
	const char state[] = { g->parent.state, '\0' };

	json_object_object_add(o, "pid", json_object_new_int(g->parent.pid));
	if (!g->known)
		return o;
	json_object_object_add(o, "comm",
			       json_object_new_string(g->parent.comm));
	json_object_object_add(o, "state", json_object_new_string(state));
	json_object_object_add(o, "cgroup", json_object_new_string(g->cgroup));
	json_object_object_add(o, "init", json_object_new_boolean(g->init));
	json_object_object_add(o, "adopted",
			       json_object_new_boolean(g->adopted));
	json_object_object_add(o, "sigchld", json_object_new_string
			       (sigchld_names[g->sigchld]));
	return o;
}

struct json_object *zombies_group_json(const struct group *g)
{
	struct json_object *o = json_object_new_object();
	struct json_object *array = json_object_new_array();
	char advice[512];
	unsigned int i;

	for (i = 0; i < g->nr; i++)
		json_object_array_add(array, zombie_json(&g->first[i]));
	json_object_object_add(o, "parent", parent_json(g));
	json_object_object_add(o, "count",
			       json_object_new_int(g->nr - g->alive));
	json_object_object_add(o, "oldest",
			       json_object_new_double(g->first->age));
	json_object_object_add(o, "youngest",
			       json_object_new_double(group_youngest(g)->age));
	json_object_object_add(o, "zombies", array);
	json_object_object_add(o, "advice", json_object_new_string
			       (zombies_advice(g, advice, sizeof(advice))));
	return o;
}
