// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <linux/kwaitd.h>

#include "device.h"
#include "kwaitctl.h"
#include "util.h"

static const char usage[] =
"usage: kwaitctl release PID\n"
"End the adoption of a reaper: orphans that die from now on are its zombies.\n"
"\n"
"  -h, --help\n";

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_release(int argc, char **argv)
{
	struct kwaitd_adopt adopt;
	pid_t pid;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h')
			return util_help(usage);
		return util_misused(usage);
	}
	if (optind + 1 != argc)
		return util_misused(usage);
	if (!util_parse_pid(argv[optind], &pid))
		return USAGE;
	if (device_adoption(KWAITD_IOC_RELEASE, "release", pid, &adopt))
		return FAILED;
	return OK;
}
