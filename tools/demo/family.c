// SPDX-License-Identifier: GPL-2.0
/*
 * A parent that waits for nobody: it has ordinary children, and detached
 * children and threads, and says what it notices of their deaths. Exits with 0
 * if that is what kwaitd promises.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_DETACHED
#define CLONE_DETACHED 0x00400000
#endif

#define EACH 4
#define STACK 16384
#define PATIENCE 120	/* seconds: reached only if something is wrong */

static volatile sig_atomic_t sigchlds;
static int gates[EACH][2];
static char stacks[EACH][STACK];

static void on_sigchld(int sig)
{
	sigchlds++;
}

/* Dies when it is its turn, so that there are several until then. */
static int thread(void *gate)
{
	char c;

	read(*(int *)gate, &c, 1);
	syscall(SYS_exit, 0);
	return 0;
}

static pid_t child(unsigned long flags, int status)
{
	pid_t pid = syscall(SYS_clone, flags, NULL, NULL, NULL, 0);

	if (!pid)
		_exit(status);
	return pid;
}

static char state(pid_t pid)
{
	char path[32], c = '-';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f) {
		if (fscanf(f, "%*d %*s %c", &c) != 1)
			c = '?';
		fclose(f);
	}
	return c;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Is there no such process or thread? */
static bool gone(pid_t pid)
{
	return kill(pid, 0) && errno == ESRCH;
}

static bool zombie(pid_t pid)
{
	return state(pid) == 'Z';
}

/* Poll until it is so. A SIGCHLD may cut a nap short. */
static void await(bool (*is)(pid_t pid), pid_t pid)
{
	time_t end = time(NULL) + PATIENCE;

	while (!is(pid) && time(NULL) < end)
		usleep(1000);
}

/* Return: how many of them are */
static int report(const char *what, const pid_t *pid, bool (*is)(pid_t pid))
{
	int i, n = 0;

	printf("%s:", what);
	for (i = 0; i < EACH; i++) {
		n += is(pid[i]);
		printf(" %d %s", pid[i], zombie(pid[i]) ? "zombie" :
		       gone(pid[i]) ? "gone" : "alive");
	}
	printf("\n");
	return n;
}

/* The SIGCHLD of an ordinary child comes a moment after it is seen as a zombie. */
static bool signalled(int times)
{
	return sigchlds >= times;
}

int main(void)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), i, signals, good;
	pid_t detached[EACH], ordinary[EACH], threads[EACH];

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGCHLD, on_sigchld);
	printf("parent %d has %d detached children, %d detached threads and %d ordinary children\n",
	       getpid(), EACH, EACH, EACH);

	for (i = 0; i < EACH; i++) {
		pin(i % cpus);
		detached[i] = child(CLONE_DETACHED | SIGCHLD, i);
		await(gone, detached[i]);
	}
	for (i = 0; i < EACH; i++) {
		pin(i % cpus);
		pipe(gates[i]);
		threads[i] = clone(thread, stacks[i] + STACK, CLONE_VM |
				   CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
				   CLONE_THREAD | CLONE_SYSVSEM |
				   CLONE_DETACHED, gates[i]);
	}
	for (i = 0; i < EACH; i++) {
		write(gates[i][1], "", 1);
		await(gone, threads[i]);
	}
	signals = sigchlds;
	for (i = 0; i < EACH; i++) {
		ordinary[i] = child(SIGCHLD, i);
		await(zombie, ordinary[i]);
		await(signalled, signals + i + 1);
	}

	printf("\nthe parent waited for none of them, and sees\n");
	good = report("  detached children", detached, gone);
	good += report("  detached threads ", threads, gone);
	good += report("  ordinary children", ordinary, zombie);
	printf("  signals: %d for the %d detached, %d for the %d ordinary ones\n",
	       signals, 2 * EACH, (int)sigchlds - signals, EACH);
	for (i = 0; waitpid(-1, NULL, __WALL) > 0; i++)
		;
	printf("  wait4(): %d statuses to collect, then %s\n", i,
	       errno == ECHILD ? "ECHILD" : "another error");
	return good != 3 * EACH || signals || sigchlds != EACH || i != EACH;
}
