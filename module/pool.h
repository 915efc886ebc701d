/* SPDX-License-Identifier: GPL-2.0 */
/* Memory for hooks, also where none can be allocated */
#ifndef _KWAITD_POOL_H
#define _KWAITD_POOL_H

#include <linux/types.h>

/* What all that comes from the pool fits into: assert it */
#define KWAITD_POOL_SIZE 48

void *kwaitd_pool_get(void);
void *kwaitd_pool_alloc(void);
void kwaitd_pool_put(void *object);
void kwaitd_pool_free(void *object);
bool kwaitd_pool_wanting(void);
void kwaitd_pool_refill(void);
int kwaitd_pool_init(void (*refill)(void));
void kwaitd_pool_exit(void);

#endif /* _KWAITD_POOL_H */
