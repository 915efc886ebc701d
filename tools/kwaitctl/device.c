// SPDX-License-Identifier: GPL-2.0
/* /dev/kwaitd: its commands, and what their errors mean for a person. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kwaitd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "util.h"

#define DEVICE "/dev/kwaitd"
#define MODULE "/sys/module/kwaitd"

/* Neither while it comes nor while it goes; built in it has no state. */
bool device_module_loaded(void)
{
	FILE *f = fopen(MODULE "/initstate", "re");
	char state[16] = "";

	if (!f)
		return !access(MODULE, F_OK);
	if (fscanf(f, "%15s", state) != 1)
		*state = '\0';
	fclose(f);
	return !strcmp(state, "live");
}

void device_explain_absence(void)
{
	util_error("the module is not loaded: 'modprobe kwaitd' or 'insmod kwaitd.ko' does that");
	if (strcmp(util_lockdown(), "none"))
		util_error("the kernel is locked down and takes signed modules only");
}

/* Return: a file descriptor, or -1 */
int device_open(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (!device_module_loaded())
		device_explain_absence();
	else if (errno == ENOENT)
		util_error(DEVICE " is missing: the module is loaded, but /dev no devtmpfs");
	else
		util_perror(DEVICE);
	return -1;
}

/* Return: a file descriptor, or -1 */
int device_pidfd(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0)
		return fd;
	/* What a thread's id gets depends on the kernel. */
	if (errno == EINVAL || errno == ENOENT)
		util_error("%d is a thread, and not a process", pid);
	else
		device_explain("open a pidfd of", pid);
	return -1;
}

/* Say what errno means that a command of the device has left. */
void device_explain(const char *what, pid_t pid)
{
	const char *why;

	switch (errno) {
	case EAGAIN:
		why = "its children are being looked through, try again";
		break;
	case EALREADY:
		why = "it is adopted already";
		break;
	case EINVAL:
		why = "not a reaper: neither init of a pid namespace nor PR_SET_CHILD_SUBREAPER";
		break;
	case ENOENT:
		why = "it is not adopted; 'kwaitctl list' shows who is";
		break;
	case ENOTTY:
		why = "this version of the module does not know how to";
		break;
	case EOPNOTSUPP:
		why = "the module cannot adopt on this kernel; see its log (dmesg)";
		break;
	case EPERM:
		why = "not allowed: be root, or have CAP_SYS_ADMIN over its pid namespace";
		break;
	case ESRCH:
		why = "no such process";
		break;
	default:
		why = strerror(errno);
	}
	util_error("cannot %s %d: %s", what, pid, why);
}

/* KWAITD_IOC_ADOPT or _RELEASE of a process; 0 or -1 */
int device_adoption(unsigned long cmd, const char *what, pid_t pid,
		    struct kwaitd_adopt *arg)
{
	int fd = device_open(), err;

	if (fd < 0)
		return -1;
	memset(arg, 0, sizeof(*arg));
	arg->pidfd = device_pidfd(pid);
	if (arg->pidfd < 0)
		return -1;
	err = ioctl(fd, cmd, arg);
	if (err)
		device_explain(what, pid);
	close(arg->pidfd);
	close(fd);
	return err;
}

/*
 * The adopted reapers, to be freed. There may be more every time that one asks.
 * Return: 0, or -1 and errno; says nothing
 */
int device_list(int fd, struct kwaitd_reaper **reapers, unsigned int *nr)
{
	struct kwaitd_list list = { .size = sizeof(**reapers) };
	unsigned int room = 16;

	*reapers = NULL;
	for (;;) {
		free(*reapers);
		*reapers = calloc(room, sizeof(**reapers));
		if (!*reapers)
			return -1;
		list.reapers = (uintptr_t)*reapers;
		list.nr = room;
		if (ioctl(fd, KWAITD_IOC_LIST, &list)) {
			free(*reapers);
			*reapers = NULL;
			return -1;
		}
		if (list.nr <= room)
			break;
		room = list.nr + 16;
	}
	*nr = list.nr;
	return 0;
}
