// SPDX-License-Identifier: GPL-2.0
/*
 * The parameter auto_adopt: whose init is adopted from its birth.
 *
 *   off		nobody's
 *   cgroup:PATH	of every pid namespace whose first process is born in this
 *			cgroup (version 2) or below, which need not be there yet
 *   userns:NUMBER	of every one owned by this user namespace, by its number in
 *			/proc/PID/ns/user, or by one below
 */
#include <linux/cgroup.h>
#include <linux/kstrtox.h>
#include <linux/moduleparam.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/user_namespace.h>

#include "adopt.h"
#include "compat.h"
#include "kwaitd.h"

struct policy {
	const char *cgroup;	/* its path, in text; or NULL */
	unsigned int userns;	/* or 0 */
	char text[];		/* as it was written */
};

/* Written under the lock of parameters; NULL: off */
static struct policy __rcu *policy;
bool kwaitd_auto_on;		/* is there one? */

static bool owned_by(struct pid_namespace *ns, unsigned int userns)
{
	struct user_namespace *user;

	for (user = ns->user_ns; user; user = user->parent) {
		if (user->ns.inum == userns)
			return true;
	}
	return false;
}

/*
 * By names, since cgroups come and go, and others of the same name are meant as well.
 * The ancestors of a cgroup are there as long as it is. RCU
 */
static bool is_below(struct cgroup *cgrp, const char *path)
{
	const char *name;
	int level = 0;
	size_t len;

	for (; *(path += strspn(path, "/")); path += len) {
		len = strcspn(path, "/");
		if (++level > cgrp->level)
			return false;
		name = kernfs_node_name(cgroup_ancestor(cgrp, level)->kn);
		if (strncmp(name, path, len) || name[len])
			return false;
	}
	return true;
}

/**
 * kwaitd_auto_wants() - is its init to be adopted?
 * @ns: a new pid namespace
 * @cgrp: where its init will be
 *
 * Context: fork hook.
 */
bool kwaitd_auto_wants(struct pid_namespace *ns, struct cgroup *cgrp)
{
	struct policy *p;
	bool wants = false;

	rcu_read_lock();
	p = rcu_dereference(policy);
	if (p && p->cgroup)
		wants = is_below(cgrp, p->cgroup);
	else if (p)
		wants = owned_by(ns, p->userns);
	rcu_read_unlock();
	return wants;
}

/* Return: 0, or why p cannot be what its text says */
static int policy_parse(struct policy *p)
{
	if (strstarts(p->text, "userns:"))
		return kstrtouint(p->text + strlen("userns:"), 10, &p->userns) ?:
		       p->userns ? 0 : -EINVAL;
	if (!strstarts(p->text, "cgroup:/"))
		return -EINVAL;
	p->cgroup = p->text + strlen("cgroup:");
	return 0;
}

/* Takes a policy, and lets go of that before. */
static void policy_install(struct policy *p)
{
	WRITE_ONCE(kwaitd_auto_on, p);
	p = rcu_replace_pointer(policy, p, true);
	synchronize_rcu();
	kfree(p);
}

static int auto_adopt_set(const char *val, const struct kernel_param *kp)
{
	size_t len = strcspn(val, "\n");
	struct policy *p;
	int err;

	if (len == 3 && !strncmp(val, "off", 3)) {
		policy_install(NULL);
		return 0;
	}
	p = kzalloc(struct_size(p, text, len + 1), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	memcpy(p->text, val, len);
	err = policy_parse(p);
	if (err) {
		kfree(p);
		return err;
	}
	policy_install(p);
	if (READ_ONCE(kwaitd_live))
		kwaitd_adopt_auto();
	return 0;
}

static int auto_adopt_get(char *buf, const struct kernel_param *kp)
{
	struct policy *p = rcu_dereference_protected(policy, true);

	return sysfs_emit(buf, "%s\n", p ? p->text : "off");
}

/* Also when the load fails */
static void auto_adopt_free(void *arg)
{
	kfree(rcu_dereference_protected(policy, true));
}

static const struct kernel_param_ops auto_adopt_ops = {
	.set = auto_adopt_set,
	.get = auto_adopt_get,
	.free = auto_adopt_free,
};
module_param_cb(auto_adopt, &auto_adopt_ops, NULL, 0644);
MODULE_PARM_DESC(auto_adopt, "adopt the init of every new pid namespace: off (default), cgroup:PATH: born in this cgroup or below, userns:NUMBER: owned by this user namespace or below");
