// SPDX-License-Identifier: GPL-2.0
/*
 * Is the module there, and does it work?
 *
 * status_read.c	what can be found out
 * status_print.c	how that is shown
 */
#include <getopt.h>

#include "device.h"
#include "kwaitctl.h"
#include "status_print.h"
#include "status_read.h"
#include "util.h"

static const char usage[] =
"usage: kwaitctl status [--json]\n"
"The module: is it there, what can it do, how is it set, and are its hooks in\n"
"place? Fails if it is not loaded, or one of them is not.\n"
"\n"
"  -j, --json\n"
"  -h, --help\n";

static int status(bool json)
{
	struct status s = {};
	bool ok;

	if (!device_module_loaded()) {
		status_print_absence(json);
		return FAILED;
	}
	ok = status_read(&s);
	if (json)
		status_print_json(&s);
	else
		status_print_text(&s);
	status_print_disarmed(&s);
	status_free(&s);
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
