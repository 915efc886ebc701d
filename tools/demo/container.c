// SPDX-License-Identifier: GPL-2.0
/*
 * A container: a pid namespace with an init that waits for the child it knows and
 * for its health checks, and not for what these leave behind.
 *
 * Its worker lives until standard input ends. So who holds the other end of the pipe
 * says when the container ends, and it cannot outlive that one.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECKS_PER_SECOND 20

/* A script that starts something and does not wait for it */
static void health_check(void)
{
	prctl(PR_SET_NAME, "healthcheck");
	if (fork())
		_exit(0);
	prctl(PR_SET_NAME, "curl");
	while (getppid() != 1)
		usleep(1000);
	_exit(0);
}

static void work_until_told(void)
{
	char c;

	prctl(PR_SET_NAME, "worker");
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	_exit(3);
}

static int container_init(void)
{
	int status, i;
	pid_t worker, check;

	prctl(PR_SET_NAME, "leaky-init");
	worker = fork();
	if (!worker)
		work_until_told();
	for (i = 0; waitpid(worker, &status, WNOHANG) == 0; i++) {
		check = fork();
		if (!check)
			health_check();
		waitpid(check, NULL, 0);
		usleep(1000000 / CHECKS_PER_SECOND);
	}
	printf("  init: after %d health checks my own child has ended, with status %d\n",
	       i, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}

int main(void)
{
	pid_t pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);

	if (!pid)
		return container_init();
	return pid < 0 || waitpid(pid, NULL, 0) != pid;
}
