/* SPDX-License-Identifier: GPL-2.0 */
/* The subcommands, and what all of them return. main.c calls them. */
#ifndef _KWAITCTL_H
#define _KWAITCTL_H

#define KWAITCTL_VERSION "1.0"

/* Exit status */
enum { OK, FAILED, USAGE };

/* argv[0] is the name of the subcommand. Return: exit status */
int cmd_adopt(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_latency(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_reap(int argc, char **argv);
int cmd_release(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_zombies(int argc, char **argv);

#endif /* _KWAITCTL_H */
