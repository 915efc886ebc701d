/* SPDX-License-Identifier: GPL-2.0 */
/* What the subcommands share. A function that fails has said why on stderr. */
#ifndef _KWAITCTL_H
#define _KWAITCTL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define KWAITCTL_VERSION "1.0"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NSEC_PER_SEC 1000000000ULL

#ifndef __printf
#define __printf(fmt, args) \
	__attribute__((format(printf, fmt, \
			      args)))
#endif

/* Exit status */
enum { OK, FAILED, USAGE };

/* The subcommands, argv[0] is the name; return: exit status */
int cmd_adopt(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_latency(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_reap(int argc, char **argv);
int cmd_release(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_zombies(int argc, char **argv);

/* util.c: messages, arguments, text */

extern const char *util_subcommand;	/* for messages; or NULL */

struct json_object;

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

/* device.c: /dev/kwaitd and whether the module is there */

struct kwaitd_adopt;
struct kwaitd_reaper;

bool device_module_loaded(void);
void device_explain_absence(void);
int device_open(void);
int device_pidfd(pid_t pid);
void device_explain(const char *what, pid_t pid);
int device_adoption(unsigned long cmd, const char *what, pid_t pid,
		    struct kwaitd_adopt *arg);
int device_list(int fd, struct kwaitd_reaper **reapers, unsigned int *nr);

/* debugfs.c: the files in /sys/kernel/debug/kwaitd/ */

struct stat_value {
	char name[32];
	__u64 value;
};

struct stats {
	struct stat_value values[64];
	unsigned int nr;
	int cpu;	/* -1: all */
};

#define LATENCIES 64

/* How many took from 2^i ns to less than 2^(i+1) */
struct latency {
	__u64 count[LATENCIES];
};

FILE *debugfs_open(const char *name);
bool debugfs_stats(struct stats *stats);
struct stats *debugfs_per_cpu(unsigned int *nr);
bool debugfs_latency(struct latency *latency);
bool stats_has(const struct stats *stats, const char *name);
__u64 stats_get(const struct stats *stats, const char *name);
__u64 stats_sum(const struct stats *stats, const char *prefix);
bool stats_is_gauge(const char *name);
void latency_since(struct latency *now, const struct latency *then);
__u64 latency_total(const struct latency *latency);
__u64 latency_quantile(const struct latency *latency, double q);
int latency_max_bucket(const struct latency *latency);
const char *latency_text(char *buf, size_t size, __u64 ns);

/* prometheus.c */

int prometheus_print(void);

/* proc.c: /proc/PID/ */

struct proc {
	pid_t pid;
	pid_t ppid;
	char comm[64];
	char state;
	long threads;
	int cpu;		/* where it last ran */
	__u64 start;		/* clock ticks since boot */
};

bool proc_read(pid_t pid, struct proc *proc);
bool proc_status(pid_t pid, const char *field, char *buf, size_t size);
__u64 proc_status_hex(pid_t pid, const char *field);
bool proc_is_init(pid_t pid);
void proc_comm(pid_t pid, char *buf, size_t size);
void proc_cgroup(pid_t pid, char *buf, size_t size);
bool proc_age(const struct proc *zombie, double *age);

/* trace.c: the tracepoints, in a tracing instance of our own */

struct tep_event;
struct tep_record;
struct trace;

typedef int (*trace_fn)(struct tep_event *event, struct tep_record *record,
			void *context);

struct trace *trace_open(const char * const *events, unsigned int nr);
int trace_read(struct trace *trace, trace_fn fn, void *context);
__u64 trace_lost(const struct trace *trace);
void trace_close(struct trace *trace);
bool trace_has(struct tep_event *event, const char *field);
long long trace_number(struct tep_event *event, struct tep_record *record,
		       const char *field);
void trace_text(struct tep_event *event, struct tep_record *record,
		const char *field, char *buf, size_t size);

#endif /* _KWAITCTL_H */
