// SPDX-License-Identifier: GPL-2.0
/*
 * The policy for new containers: whose init is adopted from its birth. That is what the
 * parameter auto_adopt says:
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
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/user_namespace.h>

#include "adopt.h"
#include "auto.h"
#include "compat.h"
#include "count.h"
#include "later.h"
#include "param.h"

struct policy {
	const char *cgroup;	/* its path, in text; or NULL */
	unsigned int userns;	/* or 0 */
	char text[];		/* as it was written */
};

/* Written under the lock of parameters; NULL: off */
static struct policy __rcu *policy;
bool kwaitd_auto_on;

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

/* Is the init of a new pid namespace to be adopted that will be in this cgroup? */
static bool wanted(struct pid_namespace *ns, struct cgroup *cgrp)
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

/*
 * Memory to adopt a newborn with. On PREEMPT_RT hooks cannot allocate any, so there some
 * is in store.
 */
#define SPARES 16

static LIST_HEAD(spares);
static unsigned int nr_spares;
static DEFINE_RAW_SPINLOCK(spares_lock);	/* protects both */
static struct kwaitd_later refill_work;

static void kwaitd_auto_refill(struct work_struct *work)
{
	struct kwaitd_adoption *a;

	if (!IS_ENABLED(CONFIG_PREEMPT_RT) || !READ_ONCE(kwaitd_auto_on))
		return;
	while (READ_ONCE(nr_spares) < SPARES) {
		a = kzalloc(sizeof(*a), GFP_KERNEL);
		if (!a)
			break;
		raw_spin_lock_irq(&spares_lock);
		list_add(&a->list, &spares);
		nr_spares++;
		raw_spin_unlock_irq(&spares_lock);
	}
}

/* Context: hooks. */
static struct kwaitd_adoption *adoption_alloc(void)
{
	struct kwaitd_adoption *a;
	unsigned long flags;

	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		return kzalloc(sizeof(*a), GFP_NOWAIT | __GFP_NOWARN);
	raw_spin_lock_irqsave(&spares_lock, flags);
	a = list_first_entry_or_null(&spares, struct kwaitd_adoption, list);
	if (a) {
		list_del(&a->list);
		nr_spares--;
	}
	raw_spin_unlock_irqrestore(&spares_lock, flags);
	kwaitd_later(&refill_work, 1);
	return a;
}

/**
 * kwaitd_auto_fork() - a process was created, and there is a policy
 * @child: has not run yet
 * @cgrp: the cgroup it will be in
 *
 * Context: fork hook.
 */
void kwaitd_auto_fork(struct task_struct *child, struct cgroup *cgrp)
{
	struct kwaitd_adoption *a;

	if (!thread_group_leader(child) || !is_child_reaper(task_pid(child)) ||
	    !READ_ONCE(kwaitd_live) || !wanted(ns_of_pid(task_pid(child)), cgrp))
		return;
	a = adoption_alloc();
	if (a)
		kwaitd_adopt_newborn(child, a);
	else
		kwaitd_count(KWAITD_ADOPT_FAILED);
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

/**
 * kwaitd_auto_start() - the policy is in force: have memory in store
 *
 * Context: process context; sleeps.
 */
void kwaitd_auto_start(void)
{
	kwaitd_later_now(&refill_work);
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
		kwaitd_auto_start();
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

/**
 * kwaitd_auto_init() - before the hooks are armed
 *
 * Context: any.
 */
void kwaitd_auto_init(void)
{
	kwaitd_later_init(&refill_work, kwaitd_auto_refill);
}

/**
 * kwaitd_auto_exit() - free what is in store
 *
 * Context: process context; sleeps. The hooks are disarmed.
 */
void kwaitd_auto_exit(void)
{
	struct kwaitd_adoption *a, *next;

	kwaitd_later_exit(&refill_work);
	list_for_each_entry_safe(a, next, &spares, list) {
		list_del(&a->list);
		kfree(a);
	}
}
