// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <json.h>
#include <linux/kwaitd.h>
#include <stdio.h>

#include "device.h"
#include "kwaitctl.h"
#include "proc.h"
#include "util.h"

static const char usage[] =
"usage: kwaitctl adopt [OPTION]... PID\n"
"Adopt a reaper, the init of a pid namespace or one that has called\n"
"prctl(PR_SET_CHILD_SUBREAPER): orphans that it is given leave no zombies.\n"
"\n"
"  -f, --force   even if it is systemd\n"
"  -j, --json\n"
"  -h, --help\n";

static void tell_zombies(pid_t pid, unsigned int nr)
{
	bool one = nr == 1;

	printf("; %u %s of before %s left: 'kwaitctl reap %d --older-than 60' takes %s",
	       nr, one ? "zombie" : "zombies", one ? "is" : "are", pid,
	       one ? "it" : "them");
}

static void tell(pid_t pid, const struct kwaitd_adopt *adopt)
{
	char comm[64];

	proc_comm(pid, comm, sizeof(comm));
	printf("adopted %d (%s): %u child%s its own", pid, comm, adopt->own,
	       adopt->own == 1 ? " remains" : "ren remain");
	if (adopt->zombies)
		tell_zombies(pid, adopt->zombies);
	putchar('\n');
}

static int tell_json(pid_t pid, const struct kwaitd_adopt *adopt)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "pid", json_object_new_int(pid));
	json_object_object_add(o, "own", json_object_new_int64(adopt->own));
	json_object_object_add(o, "zombies",
			       json_object_new_int64(adopt->zombies));
	return util_json_end(o, false);
}

static void refuse(pid_t pid)
{
	util_error("%d is systemd, and it waits for its orphans: that is how it knows", pid);
	util_error("when a daemon ends that went to the background. It would take dead");
	util_error("services for running. --force adopts it anyway");
}

static const struct option options[] = {
	{ "force", no_argument, NULL, 'f' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_adopt(int argc, char **argv)
{
	bool force = false, json = false;
	struct kwaitd_adopt adopt;
	char comm[64];
	pid_t pid;
	int c;

	while ((c = getopt_long(argc, argv, "fjh", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			force = true;
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
	proc_comm(pid, comm, sizeof(comm));
	if (!force && util_is_systemd(comm)) {
		refuse(pid);
		return FAILED;
	}
	if (device_adoption(KWAITD_IOC_ADOPT, "adopt", pid, &adopt))
		return FAILED;
	if (json)
		return tell_json(pid, &adopt);
	tell(pid, &adopt);
	return util_flushed();
}
