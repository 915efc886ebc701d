// SPDX-License-Identifier: GPL-2.0
/*
 * The modes, by name. The benchmark runs as a child of a reaper that waits as an
 * init does: orphans are its.
 */
#include "bench.h"

#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>

unsigned long *orphans_reaped;

void need_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s (%m)\n", file, line, what);
	_exit(1);
}

static volatile int *init_obeyed;	/* shared with it: the last order */

/* In the init: SIGUSR1, ignore SIGCHLD; SIGUSR2, do not. */
static void on_order(int sig)
{
	signal(SIGCHLD, sig == SIGUSR1 ? SIG_IGN : SIG_DFL);
	*init_obeyed = sig;
}

/* In its child */
void init_order(int sig)
{
	*init_obeyed = 0;
	need(!kill(getppid(), sig));
	while (*init_obeyed != sig)
		sched_yield();
}

static const struct {
	const char *name;
	int (*run)(char **arg);
	int args;		/* at least */
} modes[] = {
	{ "instructions", mode_instructions, 2 },
	{ "marks", mode_marks, 3 },
	{ "profile", mode_profile, 2 },
	{ "speed", mode_speed, 2 },
	{ "storm", mode_storm, 2 },
	{ "waiters", mode_waiters, 2 },
	{ "orphans", mode_orphans, 1 },
	{ "sleeper", mode_sleeper, 1 },
};

static int run(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; argc > 1 && i < ARRAY_LEN(modes); i++) {
		if (!strcmp(argv[1], modes[i].name) && argc - 2 >= modes[i].args)
			return modes[i].run(argv + 2);
	}
	fprintf(stderr, "bench: no such mode, or too few arguments\n");
	return 2;
}

int main(int argc, char **argv)
{
	pid_t pid, child;
	int status;

	/* How many tables a fork() copies must not be chance: 2 % each. */
	if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
		need(personality(ADDR_NO_RANDOMIZE) >= 0);
		execv("/proc/self/exe", argv);
	}
	/* What storm has run in an init is no init. */
	if (argc > 1 && (!strcmp(argv[1], "orphans") || !strcmp(argv[1], "sleeper")))
		return run(argc, argv);
	orphans_reaped = mmap(NULL, sizeof(*orphans_reaped), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(orphans_reaped != MAP_FAILED);
	init_obeyed = mmap(NULL, sizeof(*init_obeyed), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(init_obeyed != MAP_FAILED);
	signal(SIGUSR1, on_order);
	signal(SIGUSR2, on_order);
	need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	child = fork();
	if (!child)
		return run(argc, argv);
	need(child > 0);
	while ((pid = wait4(-1, &status, 0, NULL)) != child) {
		need(pid > 0);
		++*orphans_reaped;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
