// SPDX-License-Identifier: GPL-2.0
/* Messages, arguments, text, and an end by signal. */
#include <errno.h>
#include <json.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "kwaitctl.h"
#include "util.h"

const char *util_subcommand;

void util_error(const char *fmt, ...)
{
	va_list ap;

	/* In order with what was printed, if both go to the same place. */
	fflush(stdout);
	fprintf(stderr, "kwaitctl%s%s: ", util_subcommand ? " " : "",
		util_subcommand ?: "");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void util_perror(const char *what)
{
	util_error("%s: %s", what, strerror(errno));
}

/* How far the kernel is locked down: "none", "integrity" or "confidentiality" */
const char *util_lockdown(void)
{
	static char level[32];
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");

	/* The chosen one is in brackets; before [none] there is nothing. */
	if (!f || fscanf(f, "%*[^[][%31[^]]", level) != 1)
		strcpy(level, "none");
	if (f)
		fclose(f);
	return level;
}

/* The answers to --help, and to what cannot be understood */
int util_help(const char *usage)
{
	fputs(usage, stdout);
	return util_flushed();
}

int util_misused(const char *usage)
{
	fputs(usage, stderr);
	return USAGE;
}

/* Did all that was printed arrive? Nobody reads on is no failure of ours. */
int util_flushed(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return OK;
	if (errno != EPIPE)
		util_perror("standard output");
	return FAILED;
}

bool util_parse_count(const char *arg, unsigned int *count)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || errno || !n || n > INT_MAX) {
		util_error("'%s' is no number from 1 to %d", arg, INT_MAX);
		return false;
	}
	*count = n;
	return true;
}

bool util_parse_pid(const char *arg, pid_t *pid)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (*arg < '1' || *arg > '9' || *end || errno || n > INT32_MAX) {
		util_error("'%s' is no process id", arg);
		return false;
	}
	*pid = n;
	return true;
}

/* Seconds, with a decimal point or without, to nanoseconds */
bool util_parse_seconds(const char *arg, __u64 *ns)
{
	char *end;
	double s;

	errno = 0;
	s = strtod(arg, &end);
	/* 30 years, far from what s64 can hold */
	if (!strchr(".0123456789", *arg) || end == arg || *end || errno ||
	    !(s >= 0 && s <= 1e9)) {
		util_error("'%s' is no number of seconds", arg);
		return false;
	}
	*ns = llround(s * NSEC_PER_SEC);
	return true;
}

/* A time for people: two units, of which the second is left out above days */
const char *util_seconds(char *buf, size_t size, double s)
{
	unsigned long t = s;

	if (s < 10)
		snprintf(buf, size, "%.1fs", s);
	else if (t < 60)
		snprintf(buf, size, "%lus", t);
	else if (t < 3600)
		snprintf(buf, size, "%lum%02lus", t / 60, t % 60);
	else if (t < 86400)
		snprintf(buf, size, "%luh%02lum", t / 3600, t / 60 % 60);
	else
		snprintf(buf, size, "%lud%02luh", t / 86400, t / 3600 % 24);
	return buf;
}

/* How many bytes are a character of UTF-8 that can be printed; 0: none is */
static size_t printable_len(const unsigned char *s)
{
	size_t len = *s < 0xc2 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4, i;

	if (len == 1)
		return *s >= ' ' && *s < 127;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* control characters; not the shortest; surrogates; beyond the last one */
	if ((*s == 0xc2 && s[1] < 0xa0) || (*s == 0xe0 && s[1] < 0xa0) ||
	    (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) ||
	    *s > 0xf4 || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/*
 * Who names processes may want to play with the terminal, or to break JSON, which
 * is UTF-8. So may the kernel, which cuts names off after so many bytes.
 */
const char *util_printable(char *buf, size_t size, const char *comm)
{
	size_t n = 0, len;

	while (*comm && n + 1 < size) {
		len = printable_len((const unsigned char *)comm);
		if (n + len >= size)
			break;
		if (len)
			memcpy(buf + n, comm, len);
		else
			buf[n] = '?';
		n += len ?: 1;
		comm += len ?: 1;
	}
	buf[n] = '\0';
	return buf;
}

const char *util_plural(__u64 n)
{
	return n == 1 ? "" : "s";
}

/* As the init of the system, of a container, or as the manager of a user */
bool util_is_systemd(const char *comm)
{
	return !strcmp(comm, "systemd");
}

/* Print on a line, or on many for people, and free. Return: exit status */
int util_json_end(struct json_object *json, bool pretty)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

	if (pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	else
		flags |= JSON_C_TO_STRING_PLAIN;
	puts(json_object_to_json_string_ext(json, flags));
	json_object_put(json);
	return util_flushed();
}

int util_columns(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col)
		return ws.ws_col;
	if (columns && atoi(columns) > 0)
		return atoi(columns);
	return 80;
}

double util_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int stopped;

static void stop(int sig)
{
	(void)sig;
	__atomic_store_n(&stopped, 1, __ATOMIC_RELAXED);
}

/*
 * From here on a signal ends nothing, but util_stopped() is true. What nohup(1), say,
 * has ignored stays ignored.
 */
void util_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction sa = { .sa_handler = stop }, old;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
	}
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

bool util_stopped(void)
{
	return __atomic_load_n(&stopped, __ATOMIC_RELAXED);
}

/* Return: false when it was cut short by a signal */
bool util_wait(double seconds)
{
	double end = util_now() + seconds, left;

	/* A signal just before poll() is noticed after a moment. */
	while (!util_stopped() && (left = end - util_now()) > 0)
		poll(NULL, 0, left < 0.1 ? (int)ceil(left * 1000) : 100);
	return !util_stopped();
}
