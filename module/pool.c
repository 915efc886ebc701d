// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for marks.
 *
 * The fork hook cannot sleep, and cannot make the fork fail: by then the child
 * is there. So each CPU has some marks in store for when the slab allocator has
 * none to give without sleeping, and for PREEMPT_RT, where handlers cannot call
 * it at all. kwaitd/N, which may sleep, keeps the store between LOW and HIGH.
 */
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "compat.h"
#include "kwaitd.h"
#include "mark.h"

#define LOW 128
#define TARGET 256
#define HIGH 512

/* Only touched on its CPU with preemption off, and never from an interrupt. */
struct pool {
	struct hlist_head free;
	unsigned int count;
	bool wanting;		/* kwaitd was asked to bring it to TARGET */
};

static DEFINE_PER_CPU(struct pool, pools);
static struct kmem_cache *cache;

static void check(struct pool *pool)
{
	if (pool->wanting || (pool->count >= LOW && pool->count <= HIGH))
		return;
	pool->wanting = true;
	kwaitd_reaper_wake();
}

static struct kwaitd_mark *take(struct pool *pool)
{
	struct kwaitd_mark *mark;

	mark = hlist_entry_safe(pool->free.first, struct kwaitd_mark, node);
	if (mark) {
		__hlist_del(&mark->node);
		pool->count--;
	}
	return mark;
}

static void give(struct pool *pool, struct kwaitd_mark *mark)
{
	hlist_add_head(&mark->node, &pool->free);
	pool->count++;
}

/**
 * kwaitd_pool_get() - memory for a mark
 *
 * Context: hooks; preemption off.
 * Return: not initialised; NULL if the store is empty, too.
 */
struct kwaitd_mark *kwaitd_pool_get(void)
{
	struct pool *pool = this_cpu_ptr(&pools);
	struct kwaitd_mark *mark = NULL;

	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		mark = kmem_cache_alloc(cache, GFP_NOWAIT | __GFP_NOWARN);
	if (!mark) {
		mark = take(pool);
		check(pool);
	}
	return mark;
}

/**
 * kwaitd_pool_alloc() - kwaitd_pool_get() for those that may sleep
 *
 * Context: process context.
 */
struct kwaitd_mark *kwaitd_pool_alloc(void)
{
	return kmem_cache_alloc(cache, GFP_KERNEL);
}

/**
 * kwaitd_pool_put() - give back what kwaitd_pool_get() gave
 * @mark: in no list
 *
 * Context: hooks; preemption off.
 */
void kwaitd_pool_put(struct kwaitd_mark *mark)
{
	struct pool *pool = this_cpu_ptr(&pools);

	if (!IS_ENABLED(CONFIG_PREEMPT_RT)) {
		kmem_cache_free(cache, mark);
		return;
	}
	give(pool, mark);
	check(pool);
}

/**
 * kwaitd_pool_free() - kwaitd_pool_put() for those that may sleep
 * @mark: in no list
 *
 * Context: process context.
 */
void kwaitd_pool_free(struct kwaitd_mark *mark)
{
	kmem_cache_free(cache, mark);
}

/**
 * kwaitd_pool_wanting() - should kwaitd_pool_refill() be called?
 *
 * Context: bound to this CPU.
 */
bool kwaitd_pool_wanting(void)
{
	return this_cpu_read(pools.wanting);
}

/**
 * kwaitd_pool_refill() - bring this CPU's store to its size
 *
 * Without memory it stays what it is until it is asked for the next time.
 *
 * Context: kwaitd; may sleep.
 */
void kwaitd_pool_refill(void)
{
	struct pool *pool = raw_cpu_ptr(&pools);
	struct kwaitd_mark *mark;

	while (READ_ONCE(pool->count) < TARGET) {
		mark = kwaitd_pool_alloc();
		if (!mark)
			break;
		preempt_disable();
		give(pool, mark);
		preempt_enable();
	}
	while (READ_ONCE(pool->count) > TARGET) {
		preempt_disable();
		mark = take(pool);
		preempt_enable();
		kmem_cache_free(cache, mark);
	}
	WRITE_ONCE(pool->wanting, false);
}

int kwaitd_pool_init(void)
{
	cache = KMEM_CACHE(kwaitd_mark, 0);
	return cache ? 0 : -ENOMEM;
}

void kwaitd_pool_exit(void)
{
	struct kwaitd_mark *mark;
	int cpu;

	for_each_possible_cpu(cpu) {
		while ((mark = take(per_cpu_ptr(&pools, cpu))))
			kmem_cache_free(cache, mark);
	}
	kmem_cache_destroy(cache);
}
