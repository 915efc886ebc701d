// SPDX-License-Identifier: GPL-2.0
/* How the module's status is shown: as text or as JSON. */
#include <dirent.h>
#include <json.h>
#include <stdio.h>

#include "device.h"
#include "status_print.h"
#include "status_read.h"
#include "util.h"

static const struct {
	__u64 feature;
	const char *name;
} features[] = {
	{ KWAITD_FEATURE_AUTOREAP, "autoreap" },
	{ KWAITD_FEATURE_EXIT_INFO, "exit_info" },
	{ KWAITD_FEATURE_ADOPT, "adopt" },
};

static void print_version(const struct status *s)
{
	unsigned int i;

	printf("module       loaded");
	if (s->has_version)
		printf(", version %u of its interface", s->version.version);
	putchar('\n');
	printf("features    ");
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		if (s->version.features & features[i].feature)
			printf(" %s", features[i].name);
	}
	putchar('\n');
}

static void print_params(const struct status *s)
{
	char val[4096];
	int i;

	for (i = 0; i < s->nr_params; i++) {
		status_read_param(s->params[i]->d_name, val, sizeof(val));
		printf("%-12s %s=%s\n", i ? "" : "parameters",
		       s->params[i]->d_name, val);
	}
}

static void print_numbers(const struct status *s)
{
	static const char * const names[] = {
		"live_marks", "exit_records", "grace", "own_children",
		"backlog", "backlog_max",
	};
	unsigned int i;

	if (s->has_adopted)
		printf("%-12s %u\n", "adopted", s->adopted);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (stats_has(&s->stats, names[i]))
			printf("%-12s %llu\n", names[i],
			       stats_get(&s->stats, names[i]));
	}
}

static void print_hooks(const struct status *s)
{
	const struct hook *h;
	unsigned int i;

	printf("%-12s %u, %u not armed\n\n", "hooks", s->nr_hooks, status_disarmed(s));
	printf("%-8s %-26s %5s %12s\n", "HOOK", "SYMBOL", "ARMED", "HITS");
	for (i = 0; i < s->nr_hooks; i++) {
		h = &s->hooks[i];
		printf("%-8s %-26s %5s %12lu\n", h->name, h->symbol,
		       h->armed ? "yes" : "NO", h->hits);
	}
}

void status_print_text(const struct status *s)
{
	print_version(s);
	print_params(s);
	print_numbers(s);
	if (s->nr_hooks)
		print_hooks(s);
}

static struct json_object *features_json(__u64 val)
{
	struct json_object *array = json_object_new_array();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		if (val & features[i].feature)
			json_object_array_add(array, json_object_new_string
					      (features[i].name));
	}
	return array;
}

static struct json_object *params_json(const struct status *s)
{
	struct json_object *o = json_object_new_object();
	char val[4096];
	int i;

	for (i = 0; i < s->nr_params; i++) {
		status_read_param(s->params[i]->d_name, val, sizeof(val));
		json_object_object_add(o, s->params[i]->d_name,
				       json_object_new_string(val));
	}
	return o;
}

static struct json_object *stats_json(const struct status *s)
{
	struct json_object *o = json_object_new_object();
	const struct stat_value *v;

	for (v = s->stats.values; v < s->stats.values + s->stats.nr; v++) {
		if (stats_is_gauge(v->name))
			json_object_object_add(o, v->name,
					       json_object_new_uint64(v->value));
	}
	return o;
}

static struct json_object *hook_json(const struct hook *h)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "hook", json_object_new_string(h->name));
	json_object_object_add(o, "symbol", json_object_new_string(h->symbol));
	json_object_object_add(o, "armed", json_object_new_boolean(h->armed));
	json_object_object_add(o, "hits", json_object_new_uint64(h->hits));
	return o;
}

void status_print_json(const struct status *s)
{
	struct json_object *o = json_object_new_object(), *hooks;
	unsigned int i;

	json_object_object_add(o, "loaded", json_object_new_boolean(true));
	if (s->has_version) {
		json_object_object_add(o, "version",
				       json_object_new_int(s->version.version));
		json_object_object_add(o, "features",
				       features_json(s->version.features));
	}
	json_object_object_add(o, "parameters", params_json(s));
	if (s->has_adopted)
		json_object_object_add(o, "adopted",
				       json_object_new_int(s->adopted));
	if (s->has_stats) {
		json_object_object_add(o, "now", stats_json(s));
		hooks = json_object_new_array();
		for (i = 0; i < s->nr_hooks; i++)
			json_object_array_add(hooks, hook_json(&s->hooks[i]));
		json_object_object_add(o, "hooks", hooks);
	}
	util_json_end(o, true);
}

/* Also says on stderr what to do */
void status_print_absence(bool json)
{
	struct json_object *o;

	device_explain_absence();
	if (!json)
		return;
	o = json_object_new_object();
	json_object_object_add(o, "loaded", json_object_new_boolean(false));
	util_json_end(o, true);
}

/* On stderr */
void status_print_disarmed(const struct status *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_hooks; i++) {
		if (!s->hooks[i].armed)
			util_error("the hook in %s is not armed; the kernel's log (dmesg) says why",
				   s->hooks[i].symbol);
	}
}
