// SPDX-License-Identifier: GPL-2.0
/* What is on the screen: rates, latency, the adopted reapers, and who leaves orphans. */
#include <stdio.h>
#include <time.h>

#include "top_leaks.h"
#include "top_print.h"
#include "top_sample.h"
#include "top_screen.h"
#include "util.h"

static __u64 now_of(const struct interval *i, const char *name)
{
	return stats_get(&i->now.stats, name);
}

static void show_head(struct screen *s, const struct interval *i)
{
	time_t t = time(NULL);
	struct tm tm;
	char buf[16];

	localtime_r(&t, &tm);
	strftime(buf, sizeof(buf), "%H:%M:%S", &tm);
	screen_line(s, "kwaitd %s, in the last %.1f s%s", buf,
		    interval_seconds(i), s->batch ? "" : " (q quits)");
}

static void show_rates(struct screen *s, const struct interval *i)
{
	screen_line(s, "marked  %8.1f/s: threads %.1f, processes %.1f",
		    interval_rate_of(i, "marked_"),
		    interval_rate_of(i, "marked_threads"),
		    interval_rate_of(i, "marked_processes"));
	screen_line(s, "queued  %8.1f/s: threads %.1f, processes %.1f, orphans %.1f",
		    interval_rate_of(i, "queued_"),
		    interval_rate_of(i, "queued_threads"),
		    interval_rate_of(i, "queued_processes"),
		    interval_rate_of(i, "queued_orphans"));
	screen_line(s, "reaped  %8.1f/s: stolen %.1f, wakeups %.1f",
		    interval_rate_of(i, "reaped"),
		    interval_rate_of(i, "stolen"),
		    interval_rate_of(i, "wakeups"));
	screen_line(s, "others  %8.1f/s: inline %.1f, swept %.1f",
		    interval_rate_of(i, "inline_") +
		    interval_rate_of(i, "swept"),
		    interval_rate_of(i, "inline_"),
		    interval_rate_of(i, "swept"));
	screen_line(s, "now     backlog %llu (at most %llu on a CPU), live marks %llu",
		    now_of(i, "backlog"), now_of(i, "backlog_max"),
		    now_of(i, "live_marks"));
	screen_line(s, "        exit records %llu, in their grace time %llu",
		    now_of(i, "exit_records"), now_of(i, "grace"));
}

static void show_latency(struct screen *s, const struct interval *i)
{
	struct latency l = i->now.latency;
	char p50[16], p99[16];

	latency_since(&l, &i->then.latency);
	if (!latency_total(&l)) {
		screen_line(s, "latency -");
		return;
	}
	screen_line(s, "latency p50 < %s, p99 < %s",
		    latency_text(p50, sizeof(p50), latency_quantile(&l, 0.5)),
		    latency_text(p99, sizeof(p99), latency_quantile(&l, 0.99)));
}

static void show_reaper(struct screen *s, const struct interval *i,
			const struct kwaitd_reaper *r)
{
	struct kwaitd_reaper old = interval_reaper_then(i, r->pid);
	char comm[17];

	screen_line(s, "%7d %-15s %10.1f %10.1f %7u %7u", r->pid,
		    util_printable(comm, sizeof(comm), r->comm),
		    interval_rate(i, r->orphans, old.orphans),
		    interval_rate(i, r->swept, old.swept), r->own, r->grace);
}

/* On a screen the reapers leave half of the free lines to the leaks. */
static void show_reapers(struct screen *s, struct interval *i)
{
	unsigned int n, nr = i->now.nr_reapers, max = nr;

	screen_line(s, "%s", "");
	if (!nr) {
		screen_line(s, "no reapers are adopted");
		return;
	}
	screen_line(s, "%7s %-15s %10s %10s %7s %7s", "ADOPTED", "COMM",
		    "ORPHANS/s", "SWEPT/s", "OWN", "GRACE");
	interval_sort_reapers(i);
	if (!s->batch && (int)max > s->lines_left / 2)
		max = s->lines_left > 0 ? s->lines_left / 2 : 0;
	for (n = 0; n < max; n++)
		show_reaper(s, i, &i->now.reapers[n]);
	if (nr > max)
		screen_line(s, "        and %u more", nr - max);
}

static void show_leaks(struct screen *s, struct leaks *leaks)
{
	unsigned int i;

	screen_line(s, "%s", "");
	if (!leaks->trace) {
		screen_line(s, "who leaks is not known without the tracepoints");
		return;
	}
	screen_line(s, "%7s %6s %s", "ORPHANS", "SHARE",
		    "LEFT BY (since kwaitctl began)");
	leaks_sort(leaks);
	for (i = 0; i < leaks->nr; i++)
		screen_line(s, "%7llu %5.1f%% %s", leaks->all[i].nr,
			    100.0 * leaks->all[i].nr / leaks->orphans,
			    *leaks->all[i].comm ? leaks->all[i].comm :
						  "(not known)");
}

void top_print(struct screen *s, struct interval *i, struct leaks *leaks)
{
	screen_begin(s);
	show_head(s, i);
	show_rates(s, i);
	show_latency(s, i);
	show_reapers(s, i);
	show_leaks(s, leaks);
	screen_end(s);
}
