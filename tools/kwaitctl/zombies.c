// SPDX-License-Identifier: GPL-2.0
/*
 * Who has zombies, and what to do about them. The module need not be there.
 *
 * zombies_find.c	which zombies there are
 * zombies_group.c	the zombies of one parent, and what the parent is like
 * zombies_advice.c	what to do about these
 * zombies_print.c	how all of this is shown
 */
#include <getopt.h>
#include <json.h>
#include <stdlib.h>

#include "kwaitctl.h"
#include "util.h"
#include "zombies_find.h"
#include "zombies_group.h"
#include "zombies_print.h"

static const char usage[] =
"usage: kwaitctl zombies [OPTION]...\n"
"Who has zombies, how many, since when, and what to do about it. Works without\n"
"the module.\n"
"\n"
"  -o, --older-than=SECONDS   only those that have been dead for so long\n"
"  -j, --json\n"
"  -h, --help\n";

static int show(const struct zombies *z, bool json)
{
	struct json_object *array = json ? json_object_new_array() : NULL;
	struct adopted adopted;
	struct group g;
	unsigned int i;

	adopted_read(&adopted);
	if (!json && z->nr)
		zombies_print_head();
	for (i = 0; i < z->nr; i += g.nr) {
		group_read(&g, z, i, &adopted);
		if (json)
			json_object_array_add(array, zombies_group_json(&g));
		else
			zombies_print_group(&g);
	}
	free(adopted.reapers);
	return json ? util_json_end(array, true) : util_flushed();
}

static const struct option options[] = {
	{ "older-than", required_argument, NULL, 'o' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_zombies(int argc, char **argv)
{
	struct zombies zombies = {};
	__u64 older_than = 0;
	bool json = false;
	int c, status;

	while ((c = getopt_long(argc, argv, "o:jh", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			if (!util_parse_seconds(optarg, &older_than))
				return USAGE;
			break;
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
	if (zombies_find(&zombies, older_than / 1e9))
		status = show(&zombies, json);
	else
		status = FAILED;
	free(zombies.all);
	return status;
}
