// SPDX-License-Identifier: GPL-2.0
/*
 * kwaitctl: see and do what the kwaitd module can, from a command line.
 *
 * Each subcommand has a file. A big subcommand has several, which its first one lists:
 * SUBCOMMAND.c reads the options, SUBCOMMAND_print.c shows things, and the others find
 * out what there is to show.
 */
#include <stdio.h>
#include <string.h>

#include "kwaitctl.h"
#include "util.h"

static const struct {
	const char *name;
	int (*fn)(int argc, char **argv);
	const char *what;
} subcommands[] = {
	{ "status", cmd_status, "The module: is it there, and does it work?" },
	{ "stat", cmd_stat, "Its counters, once or in intervals" },
	{ "top", cmd_top, "A live screen of what it does" },
	{ "latency", cmd_latency, "How long the dead waited to be released" },
	{ "events", cmd_events, "A line for each exit, live" },
	{ "list", cmd_list, "The adopted reapers" },
	{ "adopt", cmd_adopt, "Adopt a reaper: its orphans leave no zombies" },
	{ "release", cmd_release, "End an adoption" },
	{ "reap", cmd_reap, "Release the zombies of an adopted reaper" },
	{ "zombies", cmd_zombies, "Who has zombies, and what to do about it" },
	{ "run", cmd_run, "Start a command that nobody has to wait for" },
};

static void show_usage(FILE *f)
{
	unsigned int i;

	fprintf(f, "usage: kwaitctl SUBCOMMAND [ARG...]\n\n");
	for (i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(f, "  %-8s  %s\n", subcommands[i].name,
			subcommands[i].what);
	fprintf(f, "\n'kwaitctl SUBCOMMAND --help' and kwaitctl(8) say more.\n");
}

static int run(int argc, char **argv)
{
	static char name[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(subcommands); i++) {
		if (strcmp(argv[0], subcommands[i].name))
			continue;
		util_subcommand = subcommands[i].name;
		/* What getopt's messages begin with */
		snprintf(name, sizeof(name), "kwaitctl %s", util_subcommand);
		argv[0] = name;
		return subcommands[i].fn(argc, argv);
	}
	fprintf(stderr, "kwaitctl: there is no '%s'\n", argv[0]);
	show_usage(stderr);
	return USAGE;
}

static int show_help(int argc, char **argv)
{
	char option[] = "--help";

	if (argc > 2 && strcmp(argv[2], "help")) {
		/* 'help CMD' is 'CMD --help'. */
		argv[1] = argv[2];
		argv[2] = option;
		return run(2, argv + 1);
	}
	show_usage(stdout);
	return util_flushed();
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		show_usage(stderr);
		return USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "-h"))
		return show_help(argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("kwaitctl %s\n", KWAITCTL_VERSION);
		return util_flushed();
	}
	return run(argc - 1, argv + 1);
}
