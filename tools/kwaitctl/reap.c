// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <json.h>
#include <linux/kwaitd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "kwaitctl.h"
#include "proc.h"
#include "util.h"

/* Long enough for a reaper that is only slow */
#define OLDER_THAN 60

static const char usage[] =
"usage: kwaitctl reap [OPTION]... PID\n"
"Release the zombies of an adopted reaper: those that it got as orphans, and\n"
"all that it had when it was adopted.\n"
"\n"
"  -o, --older-than=SECONDS   that have been dead for so long (default 60, may\n"
"                             have a decimal point; 0 for all)\n"
"  -n, --dry-run              only count them\n"
"  -j, --json\n"
"  -h, --help\n";

static int take(pid_t pid, struct kwaitd_reap *arg)
{
	int fd = device_open(), err;

	if (fd < 0)
		return -1;
	arg->pidfd = device_pidfd(pid);
	if (arg->pidfd < 0)
		return -1;
	err = ioctl(fd, KWAITD_IOC_REAP, arg);
	if (err)
		device_explain("reap the zombies of", pid);
	close(arg->pidfd);
	close(fd);
	return err;
}

static int tell(pid_t pid, const struct kwaitd_reap *arg)
{
	char comm[64];

	proc_comm(pid, comm, sizeof(comm));
	printf("%u zombie%s of %d (%s) %s\n", arg->nr, util_plural(arg->nr), pid,
	       comm, arg->flags ? "would be released" : "released");
	return util_flushed();
}

static int tell_json(pid_t pid, const struct kwaitd_reap *arg)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "pid", json_object_new_int(pid));
	json_object_object_add(o, "zombies", json_object_new_int64(arg->nr));
	json_object_object_add(o, "released",
			       json_object_new_boolean(!arg->flags));
	return util_json_end(o, false);
}

static const struct option options[] = {
	{ "older-than", required_argument, NULL, 'o' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_reap(int argc, char **argv)
{
	__u64 age = OLDER_THAN * NSEC_PER_SEC;
	struct kwaitd_reap arg = {};
	bool json = false;
	pid_t pid;
	int c;

	while ((c = getopt_long(argc, argv, "o:njh", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			if (!util_parse_seconds(optarg, &age))
				return USAGE;
			break;
		case 'n':
			arg.flags |= KWAITD_REAP_DRY_RUN;
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
	if (optind + 1 != argc)
		return util_misused(usage);
	if (!util_parse_pid(argv[optind], &pid))
		return USAGE;
	arg.min_age = age;
	if (take(pid, &arg))
		return FAILED;
	return json ? tell_json(pid, &arg) : tell(pid, &arg);
}
