/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of one line, such as parameters and those in sysfs: how to read and write them,
 * and the directories that tests need.
 */
#ifndef _KWAITD_LIB_FILE_H
#define _KWAITD_LIB_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define KW_DEBUGFS "/sys/kernel/debug/kwaitd/"
#define KW_PARAMS "/sys/module/kwaitd/parameters/"
#define KW_TRACEFS "/sys/kernel/tracing/"

/* Write a string to a file. Return: 0 or errno */
static inline int kw_write(const char *path, const char *val)
{
	int fd = open(path, O_WRONLY), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, val, strlen(val)) != (ssize_t)strlen(val))
		err = errno;
	close(fd);
	return err;
}

/* Empty tracefs' trace: writing does not, but opening it so does. Return: 0 or errno */
static inline int kw_clear(const char *path)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/*
 * Return: the first line of a file without its newline, or "" if the file cannot be
 * read. The next call overwrites the line.
 */
static inline const char *kw_read(const char *path)
{
	static char buf[256];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

#endif /* _KWAITD_LIB_FILE_H */
