// SPDX-License-Identifier: GPL-2.0
/* A hash table of processes: what is too long for pidtab.h. */
#include <linux/sched.h>

#include "pidtab.h"

static void tidy_bucket(struct kwaitd_pidtab *tab, struct hlist_head *bucket,
			bool (*stale)(struct kwaitd_entry *entry),
			void (*drop)(struct kwaitd_entry *entry))
{
	struct kwaitd_entry *entry;
	struct hlist_node *next;
	HLIST_HEAD(dropped);

	raw_spin_lock_irq(&tab->lock);
	hlist_for_each_entry_safe(entry, next, bucket, node) {
		if (stale(entry)) {
			kwaitd_pidtab_del(entry);
			hlist_add_head(&entry->node, &dropped);
		}
	}
	raw_spin_unlock_irq(&tab->lock);

	hlist_for_each_entry_safe(entry, next, &dropped, node)
		drop(entry);
}

/**
 * kwaitd_pidtab_tidy() - drop the entries that nobody needs any more
 * @tab: the table
 * @stale: whether that is so of an entry; called with the table's lock held
 * @drop: gives up what was the entry's, and frees it; called without the lock
 *
 * Context: process context; may sleep.
 */
void kwaitd_pidtab_tidy(struct kwaitd_pidtab *tab,
			bool (*stale)(struct kwaitd_entry *entry),
			void (*drop)(struct kwaitd_entry *entry))
{
	unsigned int i;

	for (i = 0; i < 1U << tab->bits; i++) {
		if (!hlist_empty(&tab->buckets[i]))
			tidy_bucket(tab, &tab->buckets[i], stale, drop);
		cond_resched();
	}
}
