// SPDX-License-Identifier: GPL-2.0
/* A live screen: rates, latency, the adopted reapers, and who leaves orphans. */
#include <getopt.h>
#include <limits.h>
#include <linux/kwaitd.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <tracefs.h>
#include <unistd.h>

#include "kwaitctl.h"

#define INTERVAL 2		/* s */
#define FIRST 0.5		/* s, until there is something to see */
#define LOOK 0.1		/* s, between two looks at the events */
#define MAX_LEAKS 1024		/* names are whatever processes choose */

static const char usage[] =
"usage: kwaitctl top [OPTION]...\n"
"What kwaitd does, live; 'q' quits.\n"
"\n"
"  -b, --batch            no escape sequences, for scripts\n"
"  -d, --delay=SECONDS    between two screens (default 2)\n"
"  -n, --count=N          stop after N screens\n"
"  -h, --help\n";

static const char enter[] = "\033[?1049h\033[?25l";
static const char leave[] = "\033[?25h\033[?1049l";
static const char home[] = "\033[H";
static const char clear_line[] = "\033[K";
static const char clear_below[] = "\033[J";

struct options {
	bool batch;
	__u64 delay;		/* ns */
	unsigned int count;	/* 0: no end */
};

/* A parent whose children have become orphans */
struct leak {
	char comm[17];
	__u64 nr;
};

struct sample {
	double time;
	struct stats stats;
	struct latency latency;
	struct kwaitd_reaper *reapers;
	unsigned int nr_reapers;
};

struct screen {
	const struct options *o;
	struct trace *trace;	/* NULL: there are no events */
	struct leak leaks[MAX_LEAKS];
	unsigned int nr_leaks;
	__u64 orphans;	/* of all leaks, and those without room there */
	struct sample now;
	struct sample then;
	int lines_left;	/* on the screen */
};

static struct termios saved;
static bool has_keys;

/* Keys one by one, and no ^Z to leave the screen as it is. */
static void enter_screen(void)
{
	struct termios t;

	fputs(enter, stdout);
	fflush(stdout);
	if (tcgetattr(STDIN_FILENO, &saved))
		return;
	t = saved;
	t.c_lflag &= ~(ICANON | ECHO);
	t.c_cc[VSUSP] = _POSIX_VDISABLE;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	has_keys = !tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

static void leave_screen(void)
{
	if (has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	fputs(leave, stdout);
	fflush(stdout);
}

static bool key_quits(double seconds)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char c;

	if (!has_keys) {
		util_wait(seconds);
		return false;
	}
	if (poll(&p, 1, seconds * 1000 + 1) <= 0)
		return false;
	/* The terminal may have gone. */
	return read(STDIN_FILENO, &c, 1) != 1 || c == 'q' || c == 'Q';
}

static int rows(void)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) || !ws.ws_row)
		return 24;
	return ws.ws_row;
}

/* No more than fit on the screen, and none is broken. */
static __printf(2, 3) void line(struct screen *s, const char *fmt, ...)
{
	char buf[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (s->o->batch) {
		puts(buf);
		return;
	}
	if (s->lines_left-- <= 0)
		return;
	/* The last line's newline would scroll. */
	printf("%s%.*s%s", clear_line, util_columns(), buf,
	       s->lines_left ? "\n" : "");
}

static void count_leak(struct screen *s, const char *comm)
{
	unsigned int i;

	s->orphans++;
	for (i = 0; i < s->nr_leaks; i++) {
		if (!strcmp(s->leaks[i].comm, comm)) {
			s->leaks[i].nr++;
			return;
		}
	}
	if (i == MAX_LEAKS)
		return;
	snprintf(s->leaks[i].comm, sizeof(s->leaks[i].comm), "%s", comm);
	s->leaks[i].nr = 1;
	s->nr_leaks++;
}

static int see_event(struct tep_event *event, struct tep_record *record,
		     void *context)
{
	char comm[17];

	if (!trace_number(event, record, "orphan"))
		return 0;
	trace_text(event, record, "pcomm", comm, sizeof(comm));
	count_leak(context, comm);
	return 0;
}

static int compare_leaks(const void *l, const void *r)
{
	const struct leak *a = l, *b = r;

	return (a->nr < b->nr) - (a->nr > b->nr);
}

static bool take(struct sample *s)
{
	int fd = device_open(), err;

	if (fd < 0)
		return false;
	err = device_list(fd, &s->reapers, &s->nr_reapers);
	close(fd);
	/* A module that cannot do that can have no reapers. */
	if (err)
		s->nr_reapers = 0;
	s->time = util_now();
	return debugfs_stats(&s->stats) && debugfs_latency(&s->latency);
}

static double rate(const struct screen *s, __u64 now, __u64 then)
{
	return now < then ? 0 :
	       (now - then) / (s->now.time - s->then.time);
}

static double rate_of(const struct screen *s, const char *prefix)
{
	return rate(s, stats_sum(&s->now.stats, prefix),
		    stats_sum(&s->then.stats, prefix));
}

static __u64 now_of(const struct screen *s, const char *name)
{
	return stats_get(&s->now.stats, name);
}

static void show_head(struct screen *s)
{
	time_t t = time(NULL);
	struct tm tm;
	char buf[16];

	localtime_r(&t, &tm);
	strftime(buf, sizeof(buf), "%H:%M:%S", &tm);
	line(s, "kwaitd %s, in the last %.1f s%s", buf,
	     s->now.time - s->then.time, s->o->batch ? "" : " (q quits)");
}

static void show_rates(struct screen *s)
{
	line(s, "marked  %8.1f/s: threads %.1f, processes %.1f",
	     rate_of(s, "marked_"), rate_of(s, "marked_threads"),
	     rate_of(s, "marked_processes"));
	line(s, "queued  %8.1f/s: threads %.1f, processes %.1f, orphans %.1f",
	     rate_of(s, "queued_"), rate_of(s, "queued_threads"),
	     rate_of(s, "queued_processes"), rate_of(s, "queued_orphans"));
	line(s, "reaped  %8.1f/s: stolen %.1f, wakeups %.1f",
	     rate_of(s, "reaped"), rate_of(s, "stolen"),
	     rate_of(s, "wakeups"));
	line(s, "others  %8.1f/s: inline %.1f, swept %.1f",
	     rate_of(s, "inline_") + rate_of(s, "swept"),
	     rate_of(s, "inline_"), rate_of(s, "swept"));
	line(s, "now     backlog %llu (at most %llu on a CPU), live marks %llu",
	     now_of(s, "backlog"), now_of(s, "backlog_max"),
	     now_of(s, "live_marks"));
	line(s, "        exit records %llu, in their grace time %llu",
	     now_of(s, "exit_records"), now_of(s, "grace"));
}

static void show_latency(struct screen *s)
{
	struct latency l = s->now.latency;
	char p50[16], p99[16];

	latency_since(&l, &s->then.latency);
	if (!latency_total(&l)) {
		line(s, "latency -");
		return;
	}
	line(s, "latency p50 < %s, p99 < %s",
	     latency_text(p50, sizeof(p50), latency_quantile(&l, 0.5)),
	     latency_text(p99, sizeof(p99), latency_quantile(&l, 0.99)));
}

/* As it was, or as if it had been adopted since then */
static struct kwaitd_reaper before(const struct screen *s, pid_t pid)
{
	const struct kwaitd_reaper none = {};
	unsigned int i;

	for (i = 0; i < s->then.nr_reapers; i++) {
		if (s->then.reapers[i].pid == pid)
			return s->then.reapers[i];
	}
	return none;
}

static void show_reaper(struct screen *s, const struct kwaitd_reaper *r)
{
	struct kwaitd_reaper old = before(s, r->pid);
	char comm[17];

	line(s, "%7d %-15s %10.1f %10.1f %7u %7u", r->pid,
	     util_printable(comm, sizeof(comm), r->comm),
	     rate(s, r->orphans, old.orphans), rate(s, r->swept, old.swept),
	     r->own, r->grace);
}

static int compare_reapers(const void *l, const void *r, void *context)
{
	const struct kwaitd_reaper *a = l, *b = r;
	const struct screen *s = context;
	__u64 na = a->orphans - before(s, a->pid).orphans;
	__u64 nb = b->orphans - before(s, b->pid).orphans;

	return (na < nb) - (na > nb);
}

/* On a screen they leave half of what is left to the leaks. */
static void show_reapers(struct screen *s)
{
	unsigned int i, nr = s->now.nr_reapers, max = nr;

	line(s, "%s", "");
	if (!s->now.nr_reapers) {
		line(s, "no reapers are adopted");
		return;
	}
	line(s, "%7s %-15s %10s %10s %7s %7s", "ADOPTED", "COMM", "ORPHANS/s",
	     "SWEPT/s", "OWN", "GRACE");
	qsort_r(s->now.reapers, nr, sizeof(*s->now.reapers), compare_reapers,
		s);
	if (!s->o->batch && (int)max > s->lines_left / 2)
		max = s->lines_left > 0 ? s->lines_left / 2 : 0;
	for (i = 0; i < max; i++)
		show_reaper(s, &s->now.reapers[i]);
	if (nr > max)
		line(s, "        and %u more", nr - max);
}

static void show_leaks(struct screen *s)
{
	unsigned int i;

	line(s, "%s", "");
	if (!s->trace) {
		line(s, "who leaks is not known without the tracepoints");
		return;
	}
	line(s, "%7s %6s %s", "ORPHANS", "SHARE",
	     "LEFT BY (since kwaitctl began)");
	qsort(s->leaks, s->nr_leaks, sizeof(*s->leaks), compare_leaks);
	for (i = 0; i < s->nr_leaks; i++)
		line(s, "%7llu %5.1f%% %s", s->leaks[i].nr,
		     100.0 * s->leaks[i].nr / s->orphans,
		     *s->leaks[i].comm ? s->leaks[i].comm : "(not known)");
}

static void show(struct screen *s)
{
	s->lines_left = rows();
	if (!s->o->batch)
		fputs(home, stdout);
	show_head(s);
	show_rates(s);
	show_latency(s);
	show_reapers(s);
	show_leaks(s);
	if (s->o->batch)
		putchar('\n');
	else if (s->lines_left > 0)
		fputs(clear_below, stdout);
}

/* Count events until it is time. Return: false: quit, with an exit status */
static bool pass(struct screen *s, double seconds, int *status)
{
	double end = util_now() + seconds, left;

	while ((left = end - util_now()) > 0) {
		if (key_quits(left < LOOK ? left : LOOK) || util_stopped())
			return false;
		if (s->trace && trace_read(s->trace, see_event, s)) {
			*status = FAILED;
			return false;
		}
	}
	return true;
}

static int top_loop(struct screen *s)
{
	double delay = s->o->delay / 1e9, first = delay;
	int status = OK;
	unsigned int n = 0;

	if (!s->o->batch && first > FIRST)
		first = FIRST;
	if (!take(&s->now))
		return FAILED;
	while (pass(s, n ? delay : first, &status)) {
		free(s->then.reapers);
		s->then = s->now;
		s->now.reapers = NULL;
		if (!take(&s->now))
			return FAILED;
		show(s);
		status = util_flushed();
		if (status != OK || ++n == s->o->count)
			break;
	}
	return status;
}

static int top(const struct options *o)
{
	/* An orphan's end is the one or the other. */
	static const char * const events[] = { "kwaitd_reap", "kwaitd_inline" };
	struct screen *s;
	int status;

	/* Before the screen hides what went wrong */
	if (!debugfs_latency(&(struct latency){}))
		return FAILED;
	s = calloc(1, sizeof(*s));
	if (!s) {
		util_perror("memory");
		return FAILED;
	}
	util_catch_signals();
	s->o = o;
	s->trace = trace_open(events, ARRAY_SIZE(events));
	if (!o->batch)
		enter_screen();
	status = top_loop(s);
	if (!o->batch)
		leave_screen();
	/* What was said on that screen is gone with it: say again why. */
	if (status == FAILED && !o->batch && !ferror(stdout))
		debugfs_latency(&(struct latency){});
	trace_close(s->trace);
	free(s->then.reapers);
	free(s->now.reapers);
	free(s);
	return status;
}

static const struct option options[] = {
	{ "batch", no_argument, NULL, 'b' },
	{ "delay", required_argument, NULL, 'd' },
	{ "count", required_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static bool parse_delay(const char *arg, __u64 *delay)
{
	if (!util_parse_seconds(arg, delay))
		return false;
	if (*delay >= NSEC_PER_SEC / 10)
		return true;
	util_error("a delay is 0.1 seconds or more");
	return false;
}

int cmd_top(int argc, char **argv)
{
	struct options o = { .delay = INTERVAL * NSEC_PER_SEC };
	int c;

	while ((c = getopt_long(argc, argv, "bd:n:h", options, NULL)) != -1) {
		switch (c) {
		case 'b':
			o.batch = true;
			break;
		case 'd':
			if (!parse_delay(optarg, &o.delay))
				return USAGE;
			break;
		case 'n':
			if (!util_parse_count(optarg, &o.count))
				return USAGE;
			break;
		case 'h':
			return util_help(usage);
		default:
			return util_misused(usage);
		}
	}
	if (optind != argc)
		return util_misused(usage);
	if (!isatty(STDOUT_FILENO))
		o.batch = true;
	return top(&o);
}
