// SPDX-License-Identifier: GPL-2.0
/*
 * The zombies of one parent, and what the parent is like: what it does with SIGCHLD,
 * whether it is an init, stopped, traced or adopted. Advice follows from these.
 */
#include <fcntl.h>
#include <linux/kwaitd.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "zombies_find.h"
#include "zombies_group.h"

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

/*
 * A missing module is no error here: nothing is adopted then. So this opens the device
 * itself, as device_open() would complain.
 */
void adopted_read(struct adopted *adopted)
{
	int fd = open("/dev/kwaitd", O_RDWR | O_CLOEXEC);

	adopted->reapers = NULL;
	adopted->nr = 0;
	if (fd < 0)
		return;
	device_list(fd, &adopted->reapers, &adopted->nr);
	close(fd);
}

static bool is_adopted(const struct adopted *adopted, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < adopted->nr; i++) {
		if (adopted->reapers[i].pid == pid)
			return true;
	}
	return false;
}

static void read_parent(struct group *g, pid_t pid)
{
	g->known = pid && proc_read(pid, &g->parent);
	g->parent.pid = pid;
	if (!g->known) {
		strcpy(g->parent.comm, "?");
		return;
	}
	g->init = proc_is_init(pid);
	g->tracer = proc_tracer(pid);
	g->sigchld = sigchld_of(pid);
	proc_cgroup(pid, g->cgroup, sizeof(g->cgroup));
}

/**
 * group_read() - count the zombies of one parent, and look at the parent
 * @g: the group. Points into @z
 * @z: sorted zombies
 * @first: the first zombie of this parent in @z. The next group begins @g->nr later
 * @adopted: from adopted_read()
 */
void group_read(struct group *g, const struct zombies *z, unsigned int first,
		const struct adopted *adopted)
{
	pid_t ppid = z->all[first].proc.ppid;
	unsigned int i;

	memset(g, 0, sizeof(*g));
	g->first = &z->all[first];
	for (i = first; i < z->nr && z->all[i].proc.ppid == ppid; i++) {
		g->nr++;
		g->alive += zombie_has_threads(&z->all[i]);
		g->traced += z->all[i].tracer &&
			     !zombie_has_threads(&z->all[i]);
	}
	read_parent(g, ppid);
	g->adopted = is_adopted(adopted, ppid);
}

/* The youngest zombie proper; or the youngest of all if none is a zombie proper */
const struct zombie *group_youngest(const struct group *g)
{
	return &g->first[(g->nr == g->alive ? g->nr : g->nr - g->alive) - 1];
}

/* The tracer of the oldest zombie that has a tracer; or 0 */
pid_t group_first_tracer(const struct group *g)
{
	unsigned int i = 0;

	while (i + 1 < g->nr && !g->first[i].tracer)
		i++;
	return g->first[i].tracer;
}
