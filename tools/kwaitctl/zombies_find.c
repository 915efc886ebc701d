// SPDX-License-Identifier: GPL-2.0
/*
 * Which zombies there are, and since when. All of this is from /proc, so the module need
 * not be there.
 */
#include <dirent.h>
#include <stdlib.h>

#include "util.h"
#include "zombies_find.h"

static bool add(struct zombies *z, const struct zombie *new)
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

static bool read_all(struct zombies *z, double older_than)
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
		zombie.tracer = proc_tracer(pid);
		if (zombie.age >= older_than)
			ok = add(z, &zombie);
	}
	closedir(dir);
	return ok;
}

/*
 * A process is shown as a zombie as soon as its first thread has ended, even if other
 * threads still run. Such a process is no zombie proper: nobody can wait for it yet.
 */
bool zombie_has_threads(const struct zombie *z)
{
	return z->proc.threads > 1;
}

static int compare(const void *l, const void *r)
{
	const struct zombie *a = l, *b = r;

	if (a->proc.ppid != b->proc.ppid)
		return a->proc.ppid < b->proc.ppid ? -1 : 1;
	if (zombie_has_threads(a) != zombie_has_threads(b))
		return zombie_has_threads(a) ? 1 : -1;
	return (a->age < b->age) - (a->age > b->age);
}

/**
 * zombies_find() - find all zombies that this pid namespace shows
 * @z: empty. The caller frees @z->all, whatever is returned
 * @older_than: leave out zombies that have been dead for less, in seconds
 *
 * Return: false if that failed, and the reason is on stderr
 */
bool zombies_find(struct zombies *z, double older_than)
{
	if (!read_all(z, older_than))
		return false;
	if (z->nr)
		qsort(z->all, z->nr, sizeof(*z->all), compare);
	return true;
}
