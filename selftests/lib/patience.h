/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long a test waits, and how much it does. A test waits for a condition, never for
 * a fixed time, so that a slow machine does not fail it.
 */
#ifndef _KWAITD_LIB_PATIENCE_H
#define _KWAITD_LIB_PATIENCE_H

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define KW_DEADLINE kw_deadline()

/*
 * Seconds to wait for a condition that should be true at once. A busy machine may need
 * very long. Only a test that fails waits until the deadline.
 */
static inline int kw_deadline(void)
{
	const char *slow = getenv("KWAITD_SLOW");

	return 120 * (slow ? atoi(slow) : 1);
}

/* How often to do something: much in a long run such as make check-all, else enough */
static inline int kw_amount(int enough, int much)
{
	return getenv("KWAITD_LONG") ? much : enough;
}

/*
 * Poll until cond is true; false if it is not after KW_DEADLINE. Less and less often, since
 * a look may cost more than what it waits for, and takes its CPU.
 */
#define kw_until(cond) ({						\
	time_t __end = time(NULL) + KW_DEADLINE;			\
	useconds_t __nap = 500;						\
	bool __ok;							\
	while (!(__ok = (cond)) && time(NULL) <= __end) {		\
		usleep(__nap);						\
		if (__nap < 16000)					\
			__nap *= 2;					\
	}								\
	__ok;								\
})

#endif /* _KWAITD_LIB_PATIENCE_H */
