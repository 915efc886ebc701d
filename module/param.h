/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module is told: whether it is in use, and kinds of parameters. Each parameter
 * itself is in the file that it is for.
 */
#ifndef _KWAITD_PARAM_H
#define _KWAITD_PARAM_H

#include <linux/moduleparam.h>
#include <linux/types.h>

/*
 * Set when the load has succeeded, cleared as the first act of the unload. While it is
 * clear nothing is marked and nothing is queued, but for the self-test's own thread.
 */
extern bool kwaitd_live;

/* A number in a range. Written under the lock of parameters, read with READ_ONCE(). */
struct kwaitd_range {
	unsigned int *value;
	unsigned int min, max;
	void (*changed)(void);		/* or NULL; called once the module is live */
};

extern const struct kernel_param_ops kwaitd_range_ops;

/* One of a few words, by its index. As above. */
struct kwaitd_words {
	unsigned int *value;
	unsigned int nr;
	const char *words[3];
};

extern const struct kernel_param_ops kwaitd_words_ops;

#endif /* _KWAITD_PARAM_H */
