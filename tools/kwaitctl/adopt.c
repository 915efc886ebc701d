// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <linux/kwaitd.h>
#include <string.h>

#include "kwaitctl.h"

static const char usage[] =
"usage: kwaitctl adopt [--force] PID\n"
"Adopt a reaper, the init of a pid namespace or one that has called\n"
"prctl(PR_SET_CHILD_SUBREAPER): orphans that it is given leave no zombies.\n"
"\n"
"  -f, --force   even if it is systemd\n"
"  -h, --help\n";

/* As the init of the system, of a container, or as the manager of a user */
static bool is_systemd(pid_t pid)
{
	char comm[64];

	proc_comm(pid, comm, sizeof(comm));
	return !strcmp(comm, "systemd");
}

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

static void refuse(pid_t pid)
{
	util_error("%d is systemd, and it waits for its orphans: that is how it knows", pid);
	util_error("when a daemon ends that went to the background. It would take dead");
	util_error("services for running. --force adopts it anyway");
}

static const struct option options[] = {
	{ "force", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_adopt(int argc, char **argv)
{
	struct kwaitd_adopt adopt;
	bool force = false;
	pid_t pid;
	int c;

	while ((c = getopt_long(argc, argv, "fh", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			force = true;
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
	if (!force && is_systemd(pid)) {
		refuse(pid);
		return FAILED;
	}
	if (device_adoption(KWAITD_IOC_ADOPT, "adopt", pid, &adopt))
		return FAILED;
	tell(pid, &adopt);
	return util_flushed();
}
