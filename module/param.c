// SPDX-License-Identifier: GPL-2.0
/*
 * The kinds of parameters in /sys/module/kwaitd/parameters/. A bad value is EINVAL, and
 * changes nothing.
 */
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "param.h"

bool kwaitd_live;

static int range_set(const char *val, const struct kernel_param *kp)
{
	const struct kwaitd_range *r = kp->arg;
	/* param_set_uint_minmax() takes a kernel_param of the number itself. */
	const struct kernel_param number = { .name = kp->name, .arg = r->value };
	int err = param_set_uint_minmax(val, &number, r->min, r->max);

	if (!err && r->changed && READ_ONCE(kwaitd_live))
		r->changed();
	return err;
}

static int range_get(char *buf, const struct kernel_param *kp)
{
	const struct kwaitd_range *r = kp->arg;

	return sysfs_emit(buf, "%u\n", *r->value);
}

const struct kernel_param_ops kwaitd_range_ops = {
	.set = range_set,
	.get = range_get,
};

static int words_set(const char *val, const struct kernel_param *kp)
{
	const struct kwaitd_words *w = kp->arg;
	int i = __sysfs_match_string(w->words, w->nr, val);

	if (i < 0)
		return i;
	WRITE_ONCE(*w->value, i);
	return 0;
}

static int words_get(char *buf, const struct kernel_param *kp)
{
	const struct kwaitd_words *w = kp->arg;

	return sysfs_emit(buf, "%s\n", w->words[*w->value]);
}

const struct kernel_param_ops kwaitd_words_ops = {
	.set = words_set,
	.get = words_get,
};
