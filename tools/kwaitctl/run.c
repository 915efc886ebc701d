// SPDX-License-Identifier: GPL-2.0
/*
 * Start a command that nobody has to wait for. With clone3(CLONE_AUTOREAP) where
 * the kernel or the module has it, else with the module's CLONE_DETACHED, which a
 * kernel without it would take for nothing: the child's zombie would be ours.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/fcntl.h>
#include <linux/kwaitd.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "kwaitctl.h"
#include "util.h"

/* Headers may be older than 7.1. */
#ifndef CLONE_AUTOREAP
#define CLONE_AUTOREAP 0x400000000ULL
#endif

/* struct pidfd_info as 6.15 has it; one of 6.13 lacks the exit code. */
struct exit_info {
	__u64 mask;
	__u64 cgroupid;
	__u32 ids[11];
	__s32 exit_code;
};

#define GET_EXIT_INFO _IOWR(0xFF, 11, struct exit_info)
#define INFO_EXIT 0x8ULL

/* As a shell has it for what it cannot execute */
#define CANNOT_EXEC 127

static const char usage[] =
"usage: kwaitctl run [--pidfd] [--] COMMAND [ARG...]\n"
"Start a command that nobody has to wait for, print its process id, and return.\n"
"\n"
"  -p, --pidfd   wait for its end, by a pidfd, and exit as it did\n"
"  -h, --help\n";

struct child {
	pid_t pid;
	int pidfd;	/* -1: not asked for */
	int error;	/* a pipe: errno of an execve() that failed */
	int go;		/* a pipe: closed when the child may begin */
};

static pid_t clone3_autoreap(struct child *c, bool pidfd)
{
	struct clone_args args = { .flags = CLONE_AUTOREAP };

	if (pidfd) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = (uintptr_t)&c->pidfd;
	}
	return syscall(SYS_clone3, &args, sizeof(args));
}

/* clone() refuses CLONE_PIDFD with it, but the child does not begin yet. */
static pid_t clone_detached(struct child *c, bool pidfd)
{
	pid_t pid = syscall(SYS_clone, CLONE_DETACHED, NULL, NULL, NULL, 0);

	if (pid > 0 && pidfd)
		c->pidfd = syscall(SYS_pidfd_open, pid, 0);
	return pid;
}

static pid_t clone_child(struct child *c, bool pidfd)
{
	pid_t pid = clone3_autoreap(c, pidfd);
	int err = errno;

	/* Whatever is wrong with clone3(), it may be that and not the child. */
	if (pid < 0 && device_module_loaded())
		return clone_detached(c, pidfd);
	errno = err;
	return pid;
}

static void begin(char **argv, int go, int error)
{
	ssize_t n;
	char byte;

	do
		n = read(go, &byte, 1);
	while (n < 0 && errno == EINTR);
	execvp(argv[0], argv);
	n = write(error, &errno, sizeof(errno));
	_exit(n < 0 ? FAILED : CANNOT_EXEC);
}

static void explain(void)
{
	int err = errno;

	if (device_module_loaded() || err != EINVAL) {
		util_perror("clone");
		return;
	}
	util_error("this kernel has no CLONE_AUTOREAP of its own (7.1 and later have)");
	device_explain_absence();
}

static bool start(struct child *c, char **argv, bool pidfd)
{
	int go[2], error[2];

	if (pipe2(go, O_CLOEXEC) || pipe2(error, O_CLOEXEC)) {
		util_perror("pipe");
		return false;
	}
	c->pidfd = -1;
	c->pid = clone_child(c, pidfd);
	if (!c->pid) {
		close(go[1]);
		begin(argv, go[0], error[1]);
	}
	close(go[0]);
	close(error[1]);
	c->go = go[1];
	c->error = error[0];
	if (c->pid > 0)
		return true;
	explain();
	return false;
}

/* Let it begin. Return: errno of its execve() */
static int exec_error(struct child *c)
{
	int err = 0;
	ssize_t n;

	close(c->go);
	do
		n = read(c->error, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	close(c->error);
	return n == sizeof(err) ? err : 0;
}

static bool is_gone(const struct child *c)
{
	return syscall(SYS_pidfd_send_signal, c->pidfd, 0, NULL, 0) &&
	       errno == ESRCH;
}

/*
 * Until it has been released, which is POLLHUP. Before 6.9 that takes a hook that the
 * module can do without, so see whether it is there, too. If there was no memory to
 * mark it detached it is an ordinary child after all.
 *
 * Return: true: it was one, and the status is there
 */
static bool wait_for(const struct child *c, int *status)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	p.events = 0;
	while (!(p.revents & POLLHUP) && !is_gone(c)) {
		if (!poll(&p, 1, 1000) &&
		    waitpid(c->pid, status, __WALL | WNOHANG) == c->pid)
			return true;
	}
	return false;
}

/* Of the kernel since 6.15, before that of the module */
static bool exit_status(const struct child *c, int *status)
{
	struct exit_info info = { .mask = INFO_EXIT };
	struct kwaitd_exit_info old = { .pidfd = c->pidfd };
	int fd, err;

	if (!ioctl(c->pidfd, GET_EXIT_INFO, &info) && info.mask & INFO_EXIT) {
		*status = info.exit_code;
		return true;
	}
	fd = device_open();
	if (fd < 0)
		return false;
	err = ioctl(fd, KWAITD_IOC_EXIT_INFO, &old);
	if (err)
		util_error("how %d has ended is not known: %s", c->pid,
			   strerror(errno));
	close(fd);
	*status = old.exit_code;
	return !err;
}

static int end_as(int status)
{
	sigset_t set;
	int sig;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	/* The core is its own, also where it goes to a pipe. */
	prctl(PR_SET_DUMPABLE, 0);
	sig = WTERMSIG(status);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	return 128 + sig;
}

static int run(char **argv, bool pidfd)
{
	int err, status;
	struct child c;

	if (!start(&c, argv, pidfd))
		return FAILED;
	err = exec_error(&c);
	if (err) {
		util_error("%s: %s", argv[0], strerror(err));
		return CANNOT_EXEC;
	}
	printf("%d\n", c.pid);
	status = util_flushed();
	if (!pidfd)
		return status;
	if (c.pidfd < 0) {
		util_error("there is no pidfd of %d, so nobody waits for it",
			   c.pid);
		return FAILED;
	}
	if (!wait_for(&c, &status) && !exit_status(&c, &status))
		return FAILED;
	return end_as(status);
}

static const struct option options[] = {
	{ "pidfd", no_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_run(int argc, char **argv)
{
	bool pidfd = false;
	int c;

	/* What comes after the command's name is the command's. */
	while ((c = getopt_long(argc, argv, "+ph", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			pidfd = true;
			break;
		case 'h':
			return util_help(usage);
		default:
			return util_misused(usage);
		}
	}
	if (optind == argc)
		return util_misused(usage);
	return run(argv + optind, pidfd);
}
