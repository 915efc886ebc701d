/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hash table of processes, by the struct pid of their thread group.
 *
 * By that, and not by number or task: an execve() by whatever thread keeps the struct pid,
 * and the entry's reference keeps its address from being used again.
 *
 * Locking: the table's lock protects the table and what is in the entries. It nests inside
 * tasklist_lock, which interrupts take for reading: never hold it with interrupts on. Its
 * holders are short, and forks and exits take tasklist_lock anyway, so one lock does.
 */
#ifndef _KWAITD_PIDTAB_H
#define _KWAITD_PIDTAB_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/spinlock.h>

/* The first member of what is in a table */
struct kwaitd_entry {
	struct hlist_node node;
	struct pid *pid;		/* a reference */
};

struct kwaitd_pidtab {
	raw_spinlock_t lock;
	unsigned int bits;
	struct hlist_head *buckets;	/* 1 << bits of them */
};

static inline struct hlist_head *kwaitd_pidtab_bucket(struct kwaitd_pidtab *tab,
						      struct pid *pid)
{
	return &tab->buckets[hash_ptr(pid, tab->bits)];
}

/*
 * Is it certain, without the lock, that a process is not in the table? For callers that
 * know that its entry, if there is one, was made before.
 */
static inline bool kwaitd_pidtab_lacks(struct kwaitd_pidtab *tab, struct pid *pid)
{
	return hlist_empty(kwaitd_pidtab_bucket(tab, pid));
}

/* Lock held. Return: NULL if it is not there. */
static inline struct kwaitd_entry *kwaitd_pidtab_find(struct kwaitd_pidtab *tab,
						      struct pid *pid)
{
	struct kwaitd_entry *entry;

	hlist_for_each_entry(entry, kwaitd_pidtab_bucket(tab, pid), node) {
		if (entry->pid == pid)
			return entry;
	}
	return NULL;
}

/* Lock held. The entry's pid is set, and has a reference for the entry. */
static inline void kwaitd_pidtab_add(struct kwaitd_pidtab *tab,
				     struct kwaitd_entry *entry)
{
	hlist_add_head(&entry->node, kwaitd_pidtab_bucket(tab, entry->pid));
}

/* Lock held. */
static inline void kwaitd_pidtab_del(struct kwaitd_entry *entry)
{
	__hlist_del(&entry->node);
}

void kwaitd_pidtab_tidy(struct kwaitd_pidtab *tab,
			bool (*stale)(struct kwaitd_entry *entry),
			void (*drop)(struct kwaitd_entry *entry));

#endif /* _KWAITD_PIDTAB_H */
