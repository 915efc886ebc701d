// SPDX-License-Identifier: GPL-2.0
/* Is the module there, and does it work? */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <json.h>
#include <linux/kwaitd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kwaitctl.h"

#define PARAMETERS "/sys/module/kwaitd/parameters"

static const char usage[] =
"usage: kwaitctl status [--json]\n"
"The module: is it there, what can it do, how is it set, and are its hooks in\n"
"place? Fails if it is not loaded, or one of them is not.\n"
"\n"
"  -j, --json\n"
"  -h, --help\n";

static const struct {
	__u64 feature;
	const char *name;
} features[] = {
	{ KWAITD_FEATURE_AUTOREAP, "autoreap" },
	{ KWAITD_FEATURE_EXIT_INFO, "exit_info" },
	{ KWAITD_FEATURE_ADOPT, "adopt" },
};

struct hook {
	char name[16];
	char symbol[64];
	int armed;
	unsigned long hits;
};

struct status {
	struct kwaitd_version version;
	bool has_version;
	struct dirent **params;
	int nr_params;
	struct stats stats;
	bool has_stats;
	unsigned int adopted;
	bool has_adopted;
	struct hook hooks[16];
	unsigned int nr_hooks;
};

static void read_device(struct status *s)
{
	struct kwaitd_reaper *reapers;
	int fd = device_open();

	if (fd < 0)
		return;
	s->has_version = !ioctl(fd, KWAITD_IOC_VERSION, &s->version);
	if (!s->has_version)
		util_perror("the module's version");
	if (!device_list(fd, &reapers, &s->adopted)) {
		s->has_adopted = true;
		free(reapers);
	}
	close(fd);
}

static void read_hooks(struct status *s)
{
	FILE *f = debugfs_open("hooks");
	char line[256];
	struct hook h;

	if (!f)
		return;
	/* The first line has no numbers. */
	while (fgets(line, sizeof(line), f)) {
		if (s->nr_hooks < ARRAY_SIZE(s->hooks) &&
		    sscanf(line, "%15s %63s %d %lu", h.name, h.symbol, &h.armed,
			   &h.hits) == 4)
			s->hooks[s->nr_hooks++] = h;
	}
	fclose(f);
}

static unsigned int disarmed(const struct status *s)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->nr_hooks; i++)
		n += !s->hooks[i].armed;
	return n;
}

static void tell_disarmed(const struct status *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_hooks; i++) {
		if (!s->hooks[i].armed)
			util_error("the hook in %s is not armed; the kernel's log (dmesg) says why",
				   s->hooks[i].symbol);
	}
}

static int is_visible(const struct dirent *d)
{
	return *d->d_name != '.';
}

static bool read_all(struct status *s)
{
	read_device(s);
	s->nr_params = scandir(PARAMETERS, &s->params, is_visible, alphasort);
	s->has_stats = debugfs_stats(&s->stats);
	if (!s->has_stats)
		return false;
	/* It knows of those that are not in our pid namespace, too. */
	if (stats_has(&s->stats, "adopted")) {
		s->adopted = stats_get(&s->stats, "adopted");
		s->has_adopted = true;
	}
	read_hooks(s);
	return s->has_version && !disarmed(s);
}

static void read_param(const char *name, char *buf, size_t size)
{
	char path[512], line[4096] = "?";
	FILE *f;

	snprintf(path, sizeof(path), PARAMETERS "/%s", name);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		strcpy(line, "?");
	line[strcspn(line, "\n")] = '\0';
	util_printable(buf, size, line);
	if (f)
		fclose(f);
}

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
		read_param(s->params[i]->d_name, val, sizeof(val));
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

	printf("%-12s %u, %u not armed\n\n", "hooks", s->nr_hooks, disarmed(s));
	printf("%-8s %-26s %5s %12s\n", "HOOK", "SYMBOL", "ARMED", "HITS");
	for (i = 0; i < s->nr_hooks; i++) {
		h = &s->hooks[i];
		printf("%-8s %-26s %5s %12lu\n", h->name, h->symbol,
		       h->armed ? "yes" : "NO", h->hits);
	}
}

static void print_text(const struct status *s)
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
		read_param(s->params[i]->d_name, val, sizeof(val));
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

static void print_json(const struct status *s)
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

static void print_absence(bool json)
{
	struct json_object *o;

	device_explain_absence();
	if (!json)
		return;
	o = json_object_new_object();
	json_object_object_add(o, "loaded", json_object_new_boolean(false));
	util_json_end(o, true);
}

static int status(bool json)
{
	struct status s = {};
	bool ok;

	if (!device_module_loaded()) {
		print_absence(json);
		return FAILED;
	}
	ok = read_all(&s);
	if (json)
		print_json(&s);
	else
		print_text(&s);
	tell_disarmed(&s);
	while (s.nr_params > 0)
		free(s.params[--s.nr_params]);
	free(s.params);
	return util_flushed() == OK && ok ? OK : FAILED;
}

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_status(int argc, char **argv)
{
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'h':
			return util_help(usage);
		default:
			return util_misused(usage);
		}
	}
	if (optind != argc)
		return util_misused(usage);
	return status(json);
}
