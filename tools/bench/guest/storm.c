// SPDX-License-Identifier: GPL-2.0
/*
 * Many at once: a process of thousands of threads that is killed, and thousands of
 * orphans under inits of several kinds.
 */
#include "bench.h"

#include <fcntl.h>

#include "../../../selftests/lib/ctl.h"

#define THREADS 4096

static void sample(const char *kind, const char *way, int round,
		   const char *metric, double value)
{
	printf("loaded,%s,%s,%d,%s,%.6g\n", kind, way, round, metric, value);
	fflush(stdout);
}

/* A process of threads that sleep, in the middle of which it is killed */
static void killed(const char *name, unsigned long flags, int round)
{
	int ready[2], i;
	double start;
	pid_t pid;
	char c;

	need(!pipe(ready));
	pid = fork();
	if (!pid) {
		for (i = 1; i < THREADS; i++)
			need(child_sleeping(kinds[THREAD].flags | flags) > 0);
		need(write(ready[1], "", 1) == 1);
		for (;;)
			pause();
	}
	need(pid > 0 && read(ready[0], &c, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	start = seconds();
	kill(pid, SIGKILL);
	need(waitpid(pid, NULL, 0) == pid);
	sample("kill", name, round, "ms", (seconds() - start) * 1e3);
}

/* Inits, as they are called with a command to run */
static const struct init {
	const char *name;
	char *argv[6];
	bool adopted;
	bool leaks;
} inits[] = {
	{ "tini", .argv = { "/usr/bin/tini", "--" } },
	{ "dumb-init", .argv = { "/usr/bin/dumb-init" } },
	{ "sleeper", .argv = { "/bench", "sleeper" }, .leaks = true },
	{ "adopted", .argv = { "/bench", "sleeper" }, .adopted = true },
};

/* Run by the init: wait until told, leave the orphans, say so, stay */
int mode_orphans(char **arg)
{
	long n = atol(*arg);
	char c;

	need(read(STDIN_FILENO, &c, 1) == 1);
	while (n--) {
		pid_t pid = child_create_twice(CLONE_VM);

		need(pid > 0 && wait4(pid, NULL, 0, NULL) == pid);
	}
	need(write(STDOUT_FILENO, "", 1) == 1);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}

int mode_sleeper(char **arg)
{
	if (!fork()) {
		execv(*arg, arg);
		_exit(127);
	}
	for (;;)
		pause();
}

/* What a process has run, in ms */
static double cpu_ms(pid_t pid)
{
	unsigned long long ns = 0;
	char path[40];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = fopen(path, "r");
	need(f && fscanf(f, "%llu", &ns) == 1);
	fclose(f);
	return ns / 1e6;
}

static pid_t init_start(const struct init *init, char *orphans, int in, int out)
{
	char *argv[12], **a = argv;
	pid_t pid;
	int i;

	for (i = 0; init->argv[i]; i++)
		*a++ = init->argv[i];
	*a++ = "/bench";
	*a++ = "orphans";
	*a++ = orphans;
	*a = NULL;
	pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);
	if (pid)
		return pid;
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	execv(argv[0], argv);
	_exit(127);
}

static void orphaned(const struct init *init, char *orphans, int round)
{
	long at_rest, before = tasks();
	int in[2], out[2];
	double start, ran;
	pid_t pid;
	char c;

	need(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	pid = init_start(init, orphans, in[0], out[1]);
	need(pid > 0);
	/* It and its command are there. */
	while (tasks() < before + 2)
		usleep(1000);
	usleep(100000);
	if (init->adopted)
		need(!kw_adopt(pid));
	at_rest = tasks();
	ran = cpu_ms(pid);
	start = seconds();
	need(write(in[1], "", 1) == 1 && read(out[0], &c, 1) == 1);
	tasks_until(at_rest + (init->leaks ? atol(orphans) : 0));
	sample("orphans", init->name, round, "ms", (seconds() - start) * 1e3);
	sample("orphans", init->name, round, "init_ms", cpu_ms(pid) - ran);
	sample("orphans", init->name, round, "left", tasks() - at_rest);
	if (init->leaks) {
		start = seconds();
		need(kw_reap(pid, 0, 0) == atol(orphans));
		sample("orphans", init->name, round, "reap_ms", (seconds() - start) * 1e3);
	}
	kill(pid, SIGKILL);
	need(waitpid(pid, NULL, 0) == pid);
	close(in[0]);
	close(in[1]);
	close(out[0]);
	close(out[1]);
	tasks_until(before);
}

/* ROUNDS ORPHANS */
int mode_storm(char **arg)
{
	int rounds = atoi(arg[0]), r;
	unsigned int i;

	state_set(LOADED);
	state_setting(&(struct setting){});
	state_room(atol(arg[1]));
	for (r = 0; r < rounds; r++) {
		killed("threads", 0, r);
		killed("detached", CLONE_DETACHED, r);
		for (i = 0; i < ARRAY_LEN(inits); i++)
			orphaned(&inits[i], arg[1], r);
	}
	return 0;
}
