/* SPDX-License-Identifier: GPL-2.0 */
/* Messages, arguments, text, and an end by signal. */
#ifndef _KWAITCTL_UTIL_H
#define _KWAITCTL_UTIL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NSEC_PER_SEC 1000000000ULL

#ifndef __printf
#define __printf(fmt, args) \
	__attribute__((format(printf, fmt, \
			      args)))
#endif

struct json_object;

extern const char *util_subcommand;	/* for messages; or NULL */

__printf(1, 2) void util_error(const char *fmt, ...);
void util_perror(const char *what);
const char *util_lockdown(void);
int util_help(const char *usage);
int util_misused(const char *usage);
int util_flushed(void);
bool util_parse_count(const char *arg, unsigned int *count);
bool util_parse_pid(const char *arg, pid_t *pid);
bool util_parse_seconds(const char *arg, __u64 *ns);
const char *util_seconds(char *buf, size_t size, double s);
const char *util_printable(char *buf, size_t size, const char *comm);
const char *util_plural(__u64 n);
bool util_is_systemd(const char *comm);
int util_json_end(struct json_object *json, bool pretty);
int util_columns(void);
double util_now(void);
void util_catch_signals(void);
bool util_stopped(void);
bool util_wait(double seconds);

#endif /* _KWAITCTL_UTIL_H */
