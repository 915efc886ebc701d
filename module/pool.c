// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for hooks: objects of KWAITD_POOL_SIZE bytes, for whatever a hook has to note.
 *
 * The fork hook cannot sleep, and cannot make the fork fail: by then the child is there.
 * So each CPU has some objects in store. When a store has fewer than LOW objects, or more
 * than HIGH, the pool asks for a refill by the callback it was initialised with. Whoever may
 * sleep on that CPU then brings the store to TARGET. Until then, if the store is empty, the
 * slab allocator may have an object to give without sleeping. On PREEMPT_RT hooks cannot
 * call the allocator at all.
 *
 * An object from the store and back costs 30 instructions, and one from the allocator 300
 * on 6.1. But an object in the store is not free for KASAN. So with KASAN the allocator is
 * asked first.
 */
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "pool.h"

#define LOW 128
#define TARGET 256
#define HIGH 512

/* Only touched on its CPU with preemption off, and never from an interrupt. */
struct pool {
	struct hlist_head free;
	unsigned int count;
	bool wanting;		/* a refill was asked for */
};

/* A free one */
struct object {
	struct hlist_node node;
};

static DEFINE_PER_CPU(struct pool, pools);
static struct kmem_cache *cache;
static void (*ask_for_refill)(void);	/* on this CPU */

#define STORE_ONLY IS_ENABLED(CONFIG_PREEMPT_RT)
#define SLAB_FIRST (IS_ENABLED(CONFIG_KASAN) && !STORE_ONLY)

static void pool_check(struct pool *pool)
{
	if (pool->wanting || (pool->count >= LOW && pool->count <= HIGH))
		return;
	pool->wanting = true;
	ask_for_refill();
}

static void *pool_take(struct pool *pool)
{
	struct object *object;

	object = hlist_entry_safe(pool->free.first, struct object, node);
	if (object) {
		__hlist_del(&object->node);
		pool->count--;
	}
	return object;
}

static void pool_give(struct pool *pool, struct object *object)
{
	hlist_add_head(&object->node, &pool->free);
	pool->count++;
}

static void *slab_get(void)
{
	return STORE_ONLY ? NULL : kmem_cache_alloc(cache, GFP_NOWAIT | __GFP_NOWARN);
}

/**
 * kwaitd_pool_get() - an object
 *
 * Context: hooks; preemption off.
 * Return: not initialised; NULL if the store is empty and there is no memory.
 */
void *kwaitd_pool_get(void)
{
	struct pool *pool = this_cpu_ptr(&pools);
	void *object = SLAB_FIRST ? slab_get() : NULL;

	if (!object)
		object = pool_take(pool);
	if (!object && !SLAB_FIRST)
		object = slab_get();
	pool_check(pool);
	return object;
}

/**
 * kwaitd_pool_alloc() - kwaitd_pool_get() for those that may sleep
 *
 * Context: process context.
 */
void *kwaitd_pool_alloc(void)
{
	return kmem_cache_alloc(cache, GFP_KERNEL);
}

/**
 * kwaitd_pool_put() - give back what kwaitd_pool_get() gave
 * @object: in no list
 *
 * Context: hooks; preemption off.
 */
void kwaitd_pool_put(void *object)
{
	struct pool *pool = this_cpu_ptr(&pools);

	if (SLAB_FIRST) {
		kmem_cache_free(cache, object);
		return;
	}
	pool_give(pool, object);
	pool_check(pool);
}

/**
 * kwaitd_pool_free() - kwaitd_pool_put() for those that may sleep
 * @object: in no list
 *
 * Context: process context.
 */
void kwaitd_pool_free(void *object)
{
	kmem_cache_free(cache, object);
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
 * Without memory the store stays what it is, until the next refill is asked for.
 *
 * Context: bound to this CPU; may sleep.
 */
void kwaitd_pool_refill(void)
{
	struct pool *pool = raw_cpu_ptr(&pools);
	void *object;

	while (READ_ONCE(pool->count) < TARGET) {
		object = kwaitd_pool_alloc();
		if (!object)
			break;
		preempt_disable();
		pool_give(pool, object);
		preempt_enable();
	}
	while (READ_ONCE(pool->count) > TARGET) {
		preempt_disable();
		object = pool_take(pool);
		preempt_enable();
		/* Hooks may have emptied the store in between. */
		if (object)
			kmem_cache_free(cache, object);
	}
	WRITE_ONCE(pool->wanting, false);
}

/**
 * kwaitd_pool_init() - set up the stores; they are empty until the first refill
 * @refill: called in hooks, with preemption off, when this CPU's store wants a
 * kwaitd_pool_refill()
 *
 * Context: process context; may sleep.
 * Return: 0 or -ENOMEM.
 */
int kwaitd_pool_init(void (*refill)(void))
{
	ask_for_refill = refill;
	cache = kmem_cache_create("kwaitd_pool", KWAITD_POOL_SIZE, 0, 0, NULL);
	return cache ? 0 : -ENOMEM;
}

/**
 * kwaitd_pool_exit() - free the stores
 *
 * Context: process context. The hooks are disarmed, and everything was given back.
 */
void kwaitd_pool_exit(void)
{
	void *object;
	int cpu;

	for_each_possible_cpu(cpu) {
		while ((object = pool_take(per_cpu_ptr(&pools, cpu))))
			kmem_cache_free(cache, object);
	}
	kmem_cache_destroy(cache);
}
