// SPDX-License-Identifier: GPL-2.0
/*
 * The disturbers, which make it hard for kwaitd. Each is a process that does the same thing
 * over and over. It tells the ledger what tasks may depend on, counts how often it had an
 * effect, and in the end leaves things as they were.
 */
#include "torture.h"
#include "../lib/clone.h"
#include "../lib/cpu.h"
#include "../lib/end.h"
#include "../lib/file.h"
#include "../lib/kernel.h"
#include "../lib/module.h"
#include "../lib/patience.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEBUGFS "/sys/kernel/debug/"
#define RT_RUNTIME "/proc/sys/kernel/sched_rt_runtime_us"
#define FTRACE_ENABLED "/proc/sys/kernel/ftrace_enabled"
#define KPROBES_ENABLED DEBUGFS "kprobes/enabled"

static void nap(unsigned int ms)
{
	/* so that the end need not wait for it */
	while (ms-- && !load(ledger->calm))
		usleep(1000);
}

static bool can_write(const char *path)
{
	return !access(path, W_OK);
}

/* Write a switch. Return: whether that is what it says now */
static bool set(const char *path, const char *value)
{
	return !kw_write(path, value) && !strcmp(kw_read(path), value);
}

/* CPUs off and on */

static int cpus(void)
{
	return sysconf(_SC_NPROCESSORS_CONF);
}

static bool cpu_online(int cpu, bool online)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	/* EBUSY and ENOMEM are the kernel's good right. */
	return set(path, online ? "1" : "0");
}

static bool hotplug_can(void)
{
	return can_write("/sys/devices/system/cpu/cpu1/online");
}

static bool hotplug_cycle(void)
{
	int cpu = 1 + rnd(cpus() - 1);
	bool off = cpu_online(cpu, false);

	nap(rnd(30));
	return cpu_online(cpu, true) && off;
}

static void hotplug_undo(void)
{
	int cpu;

	for (cpu = 1; cpu < cpus(); cpu++)
		cpu_online(cpu, true);
}

/* Parameters */

static const struct {
	const char *name, *values[5];
} flips[] = {
	{ "offload", { "detached", "all", "none", "detached", "all" } },
	{ "batch", { "1", "16", "4096", "2", "1" } },
	{ "max_backlog", { "256", "0", "1", "65536", "256" } },
	{ "grace_ms", { "0", "1", "40", "2", "40" } },
};

/* ENOENT: no module; ENODEV and the like: it is going */
static bool param_set(unsigned int i, const char *value)
{
	bool grace = i == 3, ok;
	char path[64];

	snprintf(path, sizeof(path), KW_PARAMS "%s", flips[i].name);
	if (grace)
		epoch_begin(EPOCH_GRACE);
	ok = !kw_write(path, value);
	if (grace)
		epoch_end(EPOCH_GRACE, ok && !strcmp(value, "0"));
	return ok;
}

static bool params_can(void)
{
	return can_write(KW_PARAMS "offload");
}

/*
 * Whenever grace_ms changes nobody knows what must become of the orphans that there are,
 * and while it is not 0, of any: that is to be seldom, and soon over.
 */
static bool params_cycle(void)
{
	bool none = load(ledger->epochs[EPOCH_GRACE].value);
	unsigned int i = rnd(3);

	if (!rnd(none ? 128 : 16))
		return param_set(3, flips[3].values[none ? 1 + rnd(4) : 0]);
	return param_set(i, flips[i].values[rnd(5)]);
}

static void params_undo(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		param_set(i, flips[i].values[0]);
}

/* The module */

static bool module_can(void)
{
	return getenv("KWAITD_KO") && kw_loaded();
}

/* May a load fail now? There is no memory, or ftrace is off. */
static bool load_may_fail(void)
{
	unsigned int i;

	for (i = 0; i < nr_disturbers; i++) {
		if (disturbers[i].on && disturbers[i].hinders_load)
			return true;
	}
	return false;
}

static bool module_unload(void)
{
	long figures[NR_FIGURES];

	figures_take(figures);
	if (!kw_unload())
		return false;
	load_over(figures);
	return true;
}

static bool module_cycle(void)
{
	time_t end = time(NULL) + KW_DEADLINE;
	unsigned int tries = 0;
	bool gone = false;

	/*
	 * It cannot go while detached processes live that need it. For the first tries
	 * it must find a moment itself, then there are no new ones until it has gone.
	 */
	while (!gone && !load(ledger->calm) && time(NULL) <= end) {
		if (++tries == 50)
			store(ledger->gate, 1);
		epoch_begin(EPOCH_MODULE);
		gone = module_unload();
		if (gone) {
			epoch_end(EPOCH_MODULE, 0);
			break;
		}
		if (errno != EAGAIN && errno != EBUSY)
			fail(NULL, "rmmod: %m");
		epoch_cancel(EPOCH_MODULE);
		usleep(1000);
	}
	store(ledger->gate, 0);
	if (!gone)
		return false;
	nap(rnd(60));
	load_next();
	end = time(NULL) + KW_DEADLINE;
	do {
		epoch_begin(EPOCH_MODULE);
		gone = kw_load("");
		if (gone && !load_may_fail())
			fail(NULL, "insmod: %m");
		epoch_end(EPOCH_MODULE, !gone);
		if (gone)
			usleep(10000);
	} while (gone && time(NULL) <= end);
	if (gone)
		fail(NULL, "insmod never succeeded: %m");
	return !gone;
}

static void module_undo(void)
{
	store(ledger->gate, 0);
}

/* Kprobes, and ftrace, off and on for everyone. Nothing of it concerns the module. */

/*
 * Not both at the same time: a kprobe that goes while ftrace is off leaves a flag at its
 * function, and the next that goes makes the kernel say so (WARNING in
 * ftrace_shutdown()) and never trace again, with the module or without it.
 */
static void ftrace_claim(bool off)
{
	int old;

	for (;;) {
		old = load(ledger->ftrace);
		if ((off ? old == 0 : old >= 0) &&
		    __atomic_compare_exchange_n(&ledger->ftrace, &old, off ? -1 : old + 1,
						false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return;
		usleep(1000);
	}
}

static void ftrace_unclaim(bool off)
{
	add(ledger->ftrace, off ? 1 : -1);
}

static bool kprobes_can(void)
{
	return can_write(KPROBES_ENABLED);
}

static bool kprobes_cycle(void)
{
	bool off;

	ftrace_claim(false);
	off = set(KPROBES_ENABLED, "0");
	nap(rnd(20));
	kw_write(KPROBES_ENABLED, "1");
	ftrace_unclaim(false);
	return off;
}

static void kprobes_undo(void)
{
	kw_write(KPROBES_ENABLED, "1");
}

/* Linux 7.0: nobody turns it off. */
static bool ftrace_can(void)
{
	return can_write(FTRACE_ENABLED) && !kw_kernel_since(7, 0);
}

/* While the module is loaded that is refused. */
static bool ftrace_cycle(void)
{
	struct moment m;
	int err;

	ftrace_claim(true);
	moment_take(&m);
	err = kw_write(FTRACE_ENABLED, "0");
	if (!err && moment_good(&m, MODULE))
		fail(NULL, "ftrace is off, and the module is there");
	nap(rnd(20));
	kw_write(FTRACE_ENABLED, "1");
	ftrace_unclaim(true);
	return !err || err == EBUSY;
}

static void ftrace_undo(void)
{
	kw_write(FTRACE_ENABLED, "1");
}

/* Others that trace the same functions */

static const char * const hooked[] = {
	"release_task", "do_notify_parent", "cgroup_post_fork",
};

static bool tracers_can(void)
{
	return can_write(KW_TRACEFS "kprobe_events") ||
	       can_write(KW_TRACEFS "set_ftrace_filter");
}

static void tracers_undo(void)
{
	kw_write(KW_TRACEFS "events/kwaitd_torture/enable", "0");
	kw_write(KW_TRACEFS "kprobe_events", "-:kwaitd_torture/probe");
	kw_write(KW_TRACEFS "current_tracer", "nop");
	kw_write(KW_TRACEFS "set_ftrace_filter", "");
}

static bool tracers_cycle(void)
{
	const char *symbol = hooked[rnd(3)];
	char line[64];
	bool on;

	ftrace_claim(false);
	if (rnd(2)) {
		snprintf(line, sizeof(line), "%c:kwaitd_torture/probe %s",
			 rnd(2) ? 'p' : 'r', symbol);
		on = !kw_write(KW_TRACEFS "kprobe_events", line) &&
		     set(KW_TRACEFS "events/kwaitd_torture/enable", "1");
	} else {
		on = !kw_write(KW_TRACEFS "set_ftrace_filter", symbol) &&
		     set(KW_TRACEFS "current_tracer", "function");
	}
	nap(rnd(50));
	tracers_undo();
	ftrace_unclaim(false);
	kw_write(KW_TRACEFS "trace", "");
	return on;
}

/* A real-time task that does not give its CPU away for a while */

static bool hog_can(void)
{
	return cpus() > 1 && can_write(RT_RUNTIME);
}

static bool hog_cycle(void)
{
	const struct sched_param fifo = { .sched_priority = 50 }, none = {};
	struct timespec now, end;
	bool had = false;
	char old[256];
	int cpu = rnd(cpus());

	snprintf(old, sizeof(old), "%s", kw_read(RT_RUNTIME));
	kw_write(RT_RUNTIME, "-1");
	/* it may be off */
	if (!kw_pin(cpu) && !sched_setscheduler(0, SCHED_FIFO, &fifo)) {
		clock_gettime(CLOCK_MONOTONIC, &end);
		end.tv_nsec += (20 + rnd(180)) * 1000000L;
		do {
			clock_gettime(CLOCK_MONOTONIC, &now);
		} while ((now.tv_sec - end.tv_sec) * 1000000000L +
			 now.tv_nsec < end.tv_nsec);
		had = sched_getcpu() == cpu;
		sched_setscheduler(0, SCHED_OTHER, &none);
	}
	kw_write(RT_RUNTIME, old);
	return had;
}

static void hog_undo(void)
{
}

/* Memory */

static long available_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = -1;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemAvailable: %ld", &kb) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kb;
}

static bool memory_can(void)
{
	return available_kb() > 0;
}

/* Takes nearly all there is. If that was too much it is the first to go. */
static bool memory_cycle(void)
{
	const size_t step = 16 << 20;
	pid_t pid = kw_helper();
	int status;

	if (pid)
		return waitpid(pid, &status, 0) == pid &&
		       (!status || WTERMSIG(status) == SIGKILL);
	kw_write("/proc/self/oom_score_adj", "1000");
	while (available_kb() > 48 << 10) {
		if (load(ledger->calm))
			_exit(1);
		if (mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED)
			break;
	}
	nap(rnd(50));
	_exit(0);
}

static void memory_undo(void)
{
}

/* Allocations that fail, of tasks that have asked for it: clone() and exits */

static bool failslab_can(void)
{
	return can_write(DEBUGFS "failslab/probability") &&
	       !access("/proc/self/make-it-fail", W_OK);
}

static bool failslab_cycle(void)
{
	const char *times = "1000000";
	char percent[8];
	bool refused;

	snprintf(percent, sizeof(percent), "%u", 1 + rnd(10));
	kw_write(DEBUGFS "failslab/task-filter", "Y");
	kw_write(DEBUGFS "failslab/ignore-gfp-wait", "N");
	kw_write(DEBUGFS "failslab/verbose", "0");
	kw_write(DEBUGFS "failslab/interval", "1");
	/* It counts down. */
	kw_write(DEBUGFS "failslab/times", times);
	kw_write(DEBUGFS "failslab/probability", percent);
	nap(100 + rnd(200));
	kw_write(DEBUGFS "failslab/probability", "0");
	refused = atol(kw_read(DEBUGFS "failslab/times")) < atol(times);
	kw_write(DEBUGFS "failslab/times", "-1");
	return refused;
}

static void failslab_undo(void)
{
	kw_write(DEBUGFS "failslab/probability", "0");
}

/* hinders: loading the module may fail, meanwhile */
#define DISTURBER(fn, ms, text, word, hinders) {			\
	.name = #fn,							\
	.can = fn##_can, .cycle = fn##_cycle, .undo = fn##_undo,	\
	.pause_ms = ms, .what = text, .effect = word,			\
	.hinders_load = hinders,					\
}

struct disturber disturbers[] = {
	DISTURBER(tracers, 100,
		  "kprobe_events and the function tracer on the hooked functions",
		  "registered", false),
	DISTURBER(hotplug, 200, "CPUs go off and on", "off and on again", false),
	DISTURBER(params, 20, "offload, batch, max_backlog and grace_ms change",
		  "written", false),
	DISTURBER(module, 1000, "rmmod and insmod, of $KWAITD_KO",
		  "unloaded and loaded again", false),
	DISTURBER(kprobes, 500, "all kprobes are disabled and enabled", "off", false),
	DISTURBER(ftrace, 500, "sysctl kernel.ftrace_enabled",
		  "off, or refused since the module is there", true),
	DISTURBER(hog, 400, "a SCHED_FIFO task keeps a CPU for up to 200 ms",
		  "had it all the time", false),
	DISTURBER(memory, 3000, "nearly all memory is taken", "taken", true),
	DISTURBER(failslab, 50, "1 to 10 % of allocations in clone() and exit() fail",
		  "some refused", false),
};

const unsigned int nr_disturbers = sizeof(disturbers) / sizeof(*disturbers);

void disturber_run(struct disturber *d)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Before everyone else's, if there is a moment to be had */
	setpriority(PRIO_PROCESS, 0, -10);
	kw_hold_sigchld();
	while (!load(ledger->calm)) {
		if (d->cycle())
			add(ledger->cycles[d - disturbers], 1);
		add(ledger->tries[d - disturbers], 1);
		nap(rnd(2 * d->pause_ms));
	}
	d->undo();
	_exit(0);
}
