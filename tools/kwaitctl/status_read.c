// SPDX-License-Identifier: GPL-2.0
/*
 * What can be found out about the module: from its device, from its parameters in sysfs,
 * and from debugfs.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "status_read.h"
#include "util.h"

#define PARAMETERS "/sys/module/kwaitd/parameters"

static void read_device(struct status *s)
{
	struct kwaitd_reaper *reapers;
	int fd = device_open();

	if (fd < 0)
		return;
	s->has_version = !ioctl(fd, KWAITD_IOC_VERSION, &s->version);
	if (!s->has_version)
		util_perror("the module's version");
	if (!device_list(fd, &reapers, &s->adopted)) {
		s->has_adopted = true;
		free(reapers);
	}
	close(fd);
}

static void read_hooks(struct status *s)
{
	FILE *f = debugfs_open("hooks");
	char line[256];
	struct hook h;

	if (!f)
		return;
	/* The first line has no numbers. */
	while (fgets(line, sizeof(line), f)) {
		if (s->nr_hooks < ARRAY_SIZE(s->hooks) &&
		    sscanf(line, "%15s %63s %d %lu", h.name, h.symbol, &h.armed,
			   &h.hits) == 4)
			s->hooks[s->nr_hooks++] = h;
	}
	fclose(f);
}

/* How many hooks are not armed */
unsigned int status_disarmed(const struct status *s)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->nr_hooks; i++)
		n += !s->hooks[i].armed;
	return n;
}

static int is_visible(const struct dirent *d)
{
	return *d->d_name != '.';
}

/**
 * status_read() - find out all about a module that is loaded
 * @s: zeroed; to be given to status_free(), whatever is returned
 *
 * One source may be missing where others are there: debugfs need not be mounted. What
 * cannot be read is left out then, and the reason is on stderr.
 *
 * Return: true if the module has told its version and its counters, and no hook is
 * disarmed
 */
bool status_read(struct status *s)
{
	read_device(s);
	s->nr_params = scandir(PARAMETERS, &s->params, is_visible, alphasort);
	s->has_stats = debugfs_stats(&s->stats);
	if (!s->has_stats)
		return false;
	/* The device lists only reapers in our pid namespace, debugfs counts all. */
	if (stats_has(&s->stats, "adopted")) {
		s->adopted = stats_get(&s->stats, "adopted");
		s->has_adopted = true;
	}
	read_hooks(s);
	return s->has_version && !status_disarmed(s);
}

void status_free(struct status *s)
{
	while (s->nr_params > 0)
		free(s->params[--s->nr_params]);
	free(s->params);
}

/* The value of a parameter, printable; or "?" */
void status_read_param(const char *name, char *buf, size_t size)
{
	char path[512], line[4096] = "?";
	FILE *f;

	snprintf(path, sizeof(path), PARAMETERS "/%s", name);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		strcpy(line, "?");
	line[strcspn(line, "\n")] = '\0';
	util_printable(buf, size, line);
	if (f)
		fclose(f);
}
