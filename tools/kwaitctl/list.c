// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <json.h>
#include <linux/kwaitd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "kwaitctl.h"
#include "util.h"

static const char usage[] =
"usage: kwaitctl list [--json]\n"
"The adopted reapers: how many of their orphans died and were released without\n"
"them (ORPHANS) or after a while as zombies (SWEPT), how many children are their\n"
"own (OWN), and how many dead ones they may still wait for (GRACE).\n"
"\n"
"  -j, --json\n"
"  -h, --help\n";

static const struct {
	__u32 flag;
	const char *name;
} flags[] = {
	{ KWAITD_REAPER_INIT, "init" },
	{ KWAITD_REAPER_AUTO, "auto" },
	{ KWAITD_REAPER_PAUSED, "paused" },
};

static const char *flags_text(char *buf, size_t size, __u32 val)
{
	size_t len = 0;
	unsigned int i;

	*buf = '\0';
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (val & flags[i].flag)
			len += snprintf(buf + len, size - len, "%s%s",
					len ? "," : "", flags[i].name);
	}
	return len ? buf : "-";
}

static void print_table(const struct kwaitd_reaper *r, unsigned int nr)
{
	char comm[sizeof(r->comm) + 1], buf[64];
	unsigned int i;

	printf("%7s %-15s %10s %10s %7s %7s %s\n", "PID", "COMM", "ORPHANS",
	       "SWEPT", "OWN", "GRACE", "FLAGS");
	for (i = 0; i < nr; i++)
		printf("%7d %-15s %10llu %10llu %7u %7u %s\n", r[i].pid,
		       util_printable(comm, sizeof(comm), r[i].comm),
		       r[i].orphans, r[i].swept, r[i].own, r[i].grace,
		       flags_text(buf, sizeof(buf), r[i].flags));
}

static struct json_object *flags_json(__u32 val)
{
	struct json_object *array = json_object_new_array();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (val & flags[i].flag)
			json_object_array_add(array,
					      json_object_new_string(flags[i].name));
	}
	return array;
}

static struct json_object *reaper_json(const struct kwaitd_reaper *r)
{
	struct json_object *o = json_object_new_object();
	char comm[sizeof(r->comm) + 1];

	util_printable(comm, sizeof(comm), r->comm);
	json_object_object_add(o, "pid", json_object_new_int(r->pid));
	json_object_object_add(o, "comm", json_object_new_string(comm));
	json_object_object_add(o, "orphans",
			       json_object_new_uint64(r->orphans));
	json_object_object_add(o, "swept", json_object_new_uint64(r->swept));
	json_object_object_add(o, "own", json_object_new_int64(r->own));
	json_object_object_add(o, "grace", json_object_new_int64(r->grace));
	json_object_object_add(o, "flags", flags_json(r->flags));
	return o;
}

static int print_json(const struct kwaitd_reaper *r, unsigned int nr)
{
	struct json_object *array = json_object_new_array();
	unsigned int i;

	for (i = 0; i < nr; i++)
		json_object_array_add(array, reaper_json(&r[i]));
	return util_json_end(array, true);
}

static int show(bool json)
{
	struct kwaitd_reaper *reapers;
	int fd = device_open(), err;
	unsigned int nr;

	if (fd < 0)
		return FAILED;
	err = device_list(fd, &reapers, &nr);
	close(fd);
	if (err) {
		util_perror("list of the adopted reapers");
		return FAILED;
	}
	if (json)
		err = print_json(reapers, nr);
	else
		print_table(reapers, nr);
	free(reapers);
	return err ?: util_flushed();
}

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_list(int argc, char **argv)
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
	return show(json);
}
