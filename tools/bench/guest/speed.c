// SPDX-License-Identifier: GPL-2.0
/*
 * How many children a second, as fast as one parent can have them, until all are
 * gone; and what the parent pays: CPU time, switches and signals.
 *
 * For a guest with several CPUs. Nothing here is exact; only what is compared in
 * one boot, in turn, many times, means something.
 */
#include "bench.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>

static long most;	/* tasks that flood_look() has seen */
static int loadavg = -1;

static long all_tasks(void)
{
	char buf[80], *slash;
	ssize_t len;

	if (loadavg < 0)
		loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	len = pread(loadavg, buf, sizeof(buf) - 1, 0);
	need(len > 0);
	buf[len] = '\0';
	slash = strchr(buf, '/');
	need(slash);
	return atol(slash + 1);
}

/* kthreadd's children: workqueues start some, and stop them, when they like. */
static long kthreads(void)
{
	FILE *f = fopen("/proc/2/task/2/children", "r");
	long n = 0;
	int pid;

	need(f);
	while (fscanf(f, "%d", &pid) == 1)
		n++;
	fclose(f);
	return n;
}

long tasks(void)
{
	return all_tasks() - kthreads();
}

void tasks_until(long n)
{
	const double end = seconds() + 60;
	long others = kthreads();
	int turns = 0;

	while (all_tasks() > n + others) {
		need(seconds() < end);
		usleep(200);
		if (++turns % 64 == 0)
			others = kthreads();
	}
}

double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void flood_look(int i)
{
	long n;

	if (i % 64)
		return;
	n = all_tasks();
	if (n > most)
		most = n;
}

static double cpu(const struct rusage *ru)
{
	return ru->ru_utime.tv_sec + ru->ru_stime.tv_sec +
	       (ru->ru_utime.tv_usec + ru->ru_stime.tv_usec) / 1e6;
}

/* The upper bound of the power of two below which so many of a thousand are */
static unsigned long percentile(const unsigned long *counts, unsigned long all,
				unsigned int thousandths)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < NR_LATENCIES; i++) {
		sum += counts[i];
		if (sum * 1000 >= all * thousandths)
			break;
	}
	return 2UL << i;
}

static char prefix[80];	/* of the samples now taken */

static void sample(const char *metric, double value)
{
	printf("%s,%s,%.6g\n", prefix, metric, value);
}

static void sample_latency(const unsigned long *before)
{
	unsigned long now[NR_LATENCIES], all = 0;
	unsigned int i;

	state_latency(now);
	for (i = 0; i < NR_LATENCIES; i++) {
		now[i] -= before[i];
		all += now[i];
	}
	if (!all)
		return;
	sample("latency_p50_ns", percentile(now, all, 500));
	sample("latency_p99_ns", percentile(now, all, 990));
	sample("latency_max_ns", percentile(now, all, 1000));
}

static void flood(const struct way *way, const struct kind *kind, int n)
{
	int i;

	if (way->flood) {
		way->flood(way, kind, n);
		return;
	}
	for (i = 0; i < n; i++) {
		flood_look(i);
		way->child(way, kind);
	}
}

static bool sigchld_pending(void)
{
	sigset_t set;

	return !sigpending(&set) && sigismember(&set, SIGCHLD);
}

static void measure(const struct way *way, const struct kind *kind, int n)
{
	unsigned long latencies[NR_LATENCIES];
	struct rusage before, after;
	long at_rest, all_at_rest;
	double start, end;

	way_enter(way, kind);
	usleep(20000);
	ways_handled();
	at_rest = tasks();
	all_at_rest = all_tasks();
	most = all_at_rest;
	state_latency(latencies);
	getrusage(RUSAGE_THREAD, &before);
	start = seconds();
	flood(way, kind, n);
	getrusage(RUSAGE_THREAD, &after);
	tasks_until(at_rest);
	end = seconds();
	sample("per_second", n / (end - start));
	sample("parent_us", (cpu(&after) - cpu(&before)) * 1e6 / n);
	sample("voluntary", (double)(after.ru_nvcsw - before.ru_nvcsw) / n);
	sample("involuntary", (double)(after.ru_nivcsw - before.ru_nivcsw) / n);
	sample("signals", (double)(ways_handled() + sigchld_pending()) / n);
	sample("peak", most - all_at_rest);
	if (way->set.offload)
		sample_latency(latencies);
	fflush(stdout);
	way_leave(way);
}

/* ROUNDS CHILDREN */
int mode_speed(char **arg)
{
	int rounds = atoi(arg[0]), n = atoi(arg[1]), r;
	unsigned int w, k;

	state_set(LOADED);
	for (r = 0; r < rounds; r++) {
		for (k = 0; k < NR_KINDS; k++) {
			for (w = 0; w < nr_ways; w++) {
				if (kinds[k].team ||
				    !way_possible(&ways[w], &kinds[k], LOADED))
					continue;
				snprintf(prefix, sizeof(prefix), "loaded,%s,%s,%d",
					 kinds[k].name, ways[w].name, r);
				measure(&ways[w], &kinds[k], k == FORK ? n / 2 : n);
			}
		}
	}
	return 0;
}
