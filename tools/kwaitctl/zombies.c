// SPDX-License-Identifier: GPL-2.0
/*
 * Who has zombies, and what to do about it: from /proc, so the module need not be
 * there.
 */
#include <dirent.h>
#include <getopt.h>
#include <fcntl.h>
#include <json.h>
#include <linux/kwaitd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kwaitctl.h"

/* A parent that has not waited for so long (s) will not do it any more. */
#define YOUNG 1

static const char usage[] =
"usage: kwaitctl zombies [OPTION]...\n"
"Who has zombies, how many, since when, and what to do about it. Works without\n"
"the module.\n"
"\n"
"  -o, --older-than=SECONDS   only those that have been dead for so long\n"
"  -j, --json\n"
"  -h, --help\n";

struct zombie {
	struct proc proc;
	double age;
	bool exact;	/* else it may be less */
	pid_t tracer;
};

struct zombies {
	struct zombie *all;	/* by their parents; proper ones, then others; by age */
	unsigned int nr;
	unsigned int room;
};

enum sigchld { DEFAULT, CAUGHT, IGNORED, BLOCKED };

static const char * const sigchld_names[] = {
	[DEFAULT] = "default",
	[CAUGHT] = "caught",
	[IGNORED] = "ignored",
	[BLOCKED] = "blocked",
};

/* The zombies of a parent, and what it is like */
struct group {
	const struct zombie *first;
	unsigned int nr;
	unsigned int alive;	/* of these are no zombies: threads still run */
	unsigned int traced;
	struct proc parent;
	bool known;		/* else it is not in our pid namespace, or gone */
	bool init;
	bool adopted;
	pid_t tracer;		/* of the parent */
	enum sigchld sigchld;
	char cgroup[512];
};

static bool zombies_add(struct zombies *z, const struct zombie *new)
{
	struct zombie *more;

	if (z->nr == z->room) {
		more = realloc(z->all, (2 * z->room + 64) * sizeof(*more));
		if (!more) {
			util_perror("memory");
			return false;
		}
		z->all = more;
		z->room = 2 * z->room + 64;
	}
	z->all[z->nr++] = *new;
	return true;
}

static pid_t tracer_of(pid_t pid)
{
	char buf[32];

	return proc_status(pid, "TracerPid", buf, sizeof(buf)) ? atoi(buf) : 0;
}

static bool find_zombies(struct zombies *z, double older_than)
{
	DIR *dir = opendir("/proc");
	struct zombie zombie;
	struct dirent *d;
	bool ok = true;
	pid_t pid;

	if (!dir) {
		util_perror("/proc");
		return false;
	}
	while (ok && (d = readdir(dir))) {
		pid = atoi(d->d_name);
		if (pid <= 0 || !proc_read(pid, &zombie.proc) ||
		    zombie.proc.state != 'Z')
			continue;
		zombie.exact = proc_age(&zombie.proc, &zombie.age);
		zombie.tracer = tracer_of(pid);
		if (zombie.age >= older_than)
			ok = zombies_add(z, &zombie);
	}
	closedir(dir);
	return ok;
}

/* Threads of one whose first has ended are alive. */
static bool has_threads(const struct zombie *z)
{
	return z->proc.threads > 1;
}

static int compare(const void *l, const void *r)
{
	const struct zombie *a = l, *b = r;

	if (a->proc.ppid != b->proc.ppid)
		return a->proc.ppid < b->proc.ppid ? -1 : 1;
	if (has_threads(a) != has_threads(b))
		return has_threads(a) ? 1 : -1;
	return (a->age < b->age) - (a->age > b->age);
}

static enum sigchld sigchld_of(pid_t pid)
{
	const __u64 bit = 1ULL << (SIGCHLD - 1);

	if (proc_status_hex(pid, "SigIgn") & bit)
		return IGNORED;
	if (proc_status_hex(pid, "SigCgt") & bit)
		return CAUGHT;
	if (proc_status_hex(pid, "SigBlk") & bit)
		return BLOCKED;
	return DEFAULT;
}

static bool is_adopted(pid_t pid, const struct kwaitd_reaper *reapers,
		       unsigned int nr)
{
	while (nr--) {
		if (reapers[nr].pid == pid)
			return true;
	}
	return false;
}

static void group_parent(struct group *g, pid_t pid)
{
	g->known = pid && proc_read(pid, &g->parent);
	g->parent.pid = pid;
	if (!g->known) {
		strcpy(g->parent.comm, "?");
		return;
	}
	g->init = proc_is_init(pid);
	g->tracer = tracer_of(pid);
	g->sigchld = sigchld_of(pid);
	proc_cgroup(pid, g->cgroup, sizeof(g->cgroup));
}

/* The group that begins at an index */
static void group_read(struct group *g, const struct zombies *z,
		       unsigned int first)
{
	pid_t ppid = z->all[first].proc.ppid;
	unsigned int i;

	memset(g, 0, sizeof(*g));
	g->first = &z->all[first];
	for (i = first; i < z->nr && z->all[i].proc.ppid == ppid; i++) {
		g->nr++;
		g->alive += has_threads(&z->all[i]);
		g->traced += z->all[i].tracer && !has_threads(&z->all[i]);
	}
	group_parent(g, ppid);
}

/* The youngest proper one, as first is the oldest; if there are any */
static const struct zombie *group_last(const struct group *g)
{
	return &g->first[(g->nr == g->alive ? g->nr : g->nr - g->alive) - 1];
}

static pid_t first_tracer(const struct group *g)
{
	unsigned int i = 0;

	while (i + 1 < g->nr && !g->first[i].tracer)
		i++;
	return g->first[i].tracer;
}

static const char hangs[] =
"systemd waits for all it gets; if it does not, it hangs: see its journal";

static void advise_init(const struct group *g, char *buf, size_t size)
{
	static const char * const expects[] = {
		[DEFAULT] = "",
		[CAUGHT] = " catches SIGCHLD, but",
		[IGNORED] = " ignores SIGCHLD, but did not when they died, and",
		[BLOCKED] = " blocks SIGCHLD, but",
	};

	if (util_is_systemd(g->parent.comm))
		snprintf(buf, size, hangs);
	else
		snprintf(buf, size, "an init that%s does not wait: 'kwaitctl adopt %d'",
			 expects[g->sigchld], g->parent.pid);
}

/* Nobody can see whether it is a subreaper. */
static void advise_parent(const struct group *g, char *buf, size_t size)
{
	const char *what;

	switch (g->sigchld) {
	case CAUGHT:
		what = "it expects SIGCHLD, but does not wait";
		break;
	case BLOCKED:
		what = "it blocks SIGCHLD, as in system(3), and does not wait";
		break;
	case IGNORED:
		what = "it ignores SIGCHLD, but did not when they died";
		break;
	default:
		what = "it does not wait";
	}
	snprintf(buf, size, "%s: a bug, restart it; or if it is a subreaper, 'kwaitctl adopt %d'",
		 what, g->parent.pid);
}

static void advise_stopped(const struct group *g, char *buf, size_t size)
{
	char comm[64];

	if (g->tracer) {
		proc_comm(g->tracer, comm, sizeof(comm));
		snprintf(buf, size, "its tracer %d (%s) has stopped it, so it cannot wait",
			 g->tracer, comm);
		return;
	}
	snprintf(buf, size, "it is stopped, so it cannot wait: 'kill -CONT %d'",
		 g->parent.pid);
}

static void advise_traced(const struct group *g, char *buf, size_t size)
{
	pid_t tracer = first_tracer(g);
	char comm[64];

	proc_comm(tracer, comm, sizeof(comm));
	snprintf(buf, size, "%u traced: %d (%s) must wait for that before the parent can",
		 g->traced, tracer, comm);
}

static const char above[] =
"its parent is in a pid namespace above: look from there";

static const char ended[] =
"their parent has just ended: look again";

static const char only_leaders[] =
"no zombies proper: the first thread has ended, others still run";

static const char adopted[] =
"adopted: own children, in grace time, or of before: 'kwaitctl reap %d'";

/* A line of what it is, and what to do */
static const char *advise(const struct group *g, char *buf, size_t size)
{
	if (g->alive == g->nr)
		snprintf(buf, size, only_leaders);
	else if (!g->known)
		snprintf(buf, size, g->parent.pid ? ended : above);
	else if (g->first->age < YOUNG)
		snprintf(buf, size, "they have just died: look again");
	else if (strchr("Tt", g->parent.state))
		advise_stopped(g, buf, size);
	else if (g->traced)
		advise_traced(g, buf, size);
	else if (g->adopted)
		snprintf(buf, size, adopted, g->parent.pid);
	else if (g->init)
		advise_init(g, buf, size);
	else
		advise_parent(g, buf, size);
	return buf;
}

static const char *age_text(char *buf, size_t size, const struct zombie *z)
{
	char age[16];

	util_seconds(age, sizeof(age), z->age);
	snprintf(buf, size, "%s%s", z->exact ? "" : "<", age);
	return buf;
}

static void print_group(const struct group *g)
{
	char oldest[24], youngest[24], advice[512];

	printf("%7u %8s %8s %7d %-15s %-7s %s\n", g->nr - g->alive,
	       age_text(oldest, sizeof(oldest), g->first),
	       age_text(youngest, sizeof(youngest), group_last(g)),
	       g->parent.pid, g->parent.comm,
	       g->known ? sigchld_names[g->sigchld] : "?", g->cgroup);
	printf("        %s\n", advise(g, advice, sizeof(advice)));
	if (g->alive && g->alive != g->nr)
		printf("        %u more %s no zombie%s proper: threads still run\n",
		       g->alive, g->alive == 1 ? "is" : "are",
		       util_plural(g->alive));
}

static struct json_object *zombie_json(const struct zombie *z)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "pid", json_object_new_int(z->proc.pid));
	json_object_object_add(o, "comm", json_object_new_string(z->proc.comm));
	json_object_object_add(o, "age", json_object_new_double(z->age));
	json_object_object_add(o, "age_is_upper_bound",
			       json_object_new_boolean(!z->exact));
	json_object_object_add(o, "threads_run",
			       json_object_new_boolean(has_threads(z)));
	if (z->tracer)
		json_object_object_add(o, "tracer",
				       json_object_new_int(z->tracer));
	return o;
}

static struct json_object *parent_json(const struct group *g)
{
	struct json_object *o = json_object_new_object();
	const char state[] = { g->parent.state, '\0' };

	json_object_object_add(o, "pid", json_object_new_int(g->parent.pid));
	if (!g->known)
		return o;
	json_object_object_add(o, "comm",
			       json_object_new_string(g->parent.comm));
	json_object_object_add(o, "state", json_object_new_string(state));
	json_object_object_add(o, "cgroup", json_object_new_string(g->cgroup));
	json_object_object_add(o, "init", json_object_new_boolean(g->init));
	json_object_object_add(o, "adopted",
			       json_object_new_boolean(g->adopted));
	json_object_object_add(o, "sigchld", json_object_new_string
			       (sigchld_names[g->sigchld]));
	return o;
}

static struct json_object *group_json(const struct group *g)
{
	struct json_object *o = json_object_new_object();
	struct json_object *array = json_object_new_array();
	char advice[512];
	unsigned int i;

	for (i = 0; i < g->nr; i++)
		json_object_array_add(array, zombie_json(&g->first[i]));
	json_object_object_add(o, "parent", parent_json(g));
	json_object_object_add(o, "count",
			       json_object_new_int(g->nr - g->alive));
	json_object_object_add(o, "oldest",
			       json_object_new_double(g->first->age));
	json_object_object_add(o, "youngest",
			       json_object_new_double(group_last(g)->age));
	json_object_object_add(o, "zombies", array);
	json_object_object_add(o, "advice", json_object_new_string
			       (advise(g, advice, sizeof(advice))));
	return o;
}

/* Silently none where there is no module. */
static void read_reapers(struct kwaitd_reaper **reapers, unsigned int *nr)
{
	int fd = open("/dev/kwaitd", O_RDWR | O_CLOEXEC);

	*reapers = NULL;
	*nr = 0;
	if (fd < 0)
		return;
	device_list(fd, reapers, nr);
	close(fd);
}

static int show(const struct zombies *z, bool json)
{
	struct json_object *array = json ? json_object_new_array() : NULL;
	struct kwaitd_reaper *reapers;
	unsigned int i, nr;
	struct group g;

	read_reapers(&reapers, &nr);
	if (!json && z->nr)
		printf("%7s %8s %8s %7s %-15s %-7s %s\n", "ZOMBIES", "OLDEST",
		       "YOUNGEST", "PARENT", "COMM", "SIGCHLD", "CGROUP");
	for (i = 0; i < z->nr; i += g.nr) {
		group_read(&g, z, i);
		g.adopted = is_adopted(g.parent.pid, reapers, nr);
		if (json)
			json_object_array_add(array, group_json(&g));
		else
			print_group(&g);
	}
	free(reapers);
	return json ? util_json_end(array, true) : util_flushed();
}

static const struct option options[] = {
	{ "older-than", required_argument, NULL, 'o' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

int cmd_zombies(int argc, char **argv)
{
	struct zombies zombies = {};
	__u64 older_than = 0;
	bool json = false;
	int c, status;

	while ((c = getopt_long(argc, argv, "o:jh", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			if (!util_parse_seconds(optarg, &older_than))
				return USAGE;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			return util_help(usage);
		default:
			return util_misused(usage);
		}
	}
	if (optind != argc)
		return util_misused(usage);
	if (!find_zombies(&zombies, older_than / 1e9)) {
		free(zombies.all);
		return FAILED;
	}
	if (zombies.nr)
		qsort(zombies.all, zombies.nr, sizeof(*zombies.all), compare);
	status = show(&zombies, json);
	free(zombies.all);
	return status;
}
