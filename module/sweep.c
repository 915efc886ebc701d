// SPDX-License-Identifier: GPL-2.0
/*
 * The sweep: zombies that are an adopted reaper's orphans, and that it has not
 * waited for.
 *
 * Who makes a zombie EXIT_DEAD must hold tasklist_lock, which is not exported, for
 * writing, but the notify hook always runs under it. So for each step a thread is
 * born and dies, and when its own death reaches the hook, up to STEP zombies are
 * made EXIT_DEAD there: those that still are what they seemed to be. After that
 * they are nobody's but ours, and are released without a lock.
 *
 * An orphan in its grace time is a zombie as ever, and in a list here until the
 * time is over. If it has been waited for meanwhile it is not found any more.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/llist.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "adopt.h"
#include "compat.h"
#include "kwaitd.h"
#include "later.h"
#include "mark.h"

/* For so many interrupts stay off. */
#define STEP 64

struct step {
	struct task_struct *tasks[STEP];	/* with references */
	unsigned int nr;
	struct completion swept;
};

/* tasklist_lock is held for writing, or the answer is but a hint. RCU */
static bool is_zombie(struct task_struct *p)
{
	return peek(p->exit_state) == EXIT_ZOMBIE && !peek(p->ptrace) &&
	       thread_group_leader(p) && !delay_group_leader(p);
}

static int sweeper_fn(void *step)
{
	return 0;
}

/**
 * kwaitd_sweep_step() - tasklist_lock is held
 * @tsk: whose death it is held for
 *
 * Context: notify hook.
 */
void kwaitd_sweep_step(struct task_struct *tsk)
{
	struct task_struct *p;
	unsigned int i, n = 0;
	struct step *step;

	if (likely(!(tsk->flags & PF_KTHREAD)) || kthread_func(tsk) != sweeper_fn)
		return;
	step = kthread_data(tsk);
	for (i = 0; i < step->nr; i++) {
		p = step->tasks[i];
		if (!is_zombie(p) || !kwaitd_adopt_orphan(p))
			continue;
		/* wait_task_zombie() does it with the lock held for reading. */
		p->exit_state = EXIT_DEAD;
		kwaitd_adopt_swept(p);
		/* to the front, for step_sweep() */
		swap(step->tasks[n], step->tasks[i]);
		n++;
	}
	step->nr = n;
	complete(&step->swept);
}

/*
 * Make the zombies of a step EXIT_DEAD.
 * Return: how many, the first of its tasks; or an errno.
 */
static int step_run(struct step *step)
{
	struct task_struct *p;
	bool swept;

	init_completion(&step->swept);
	p = kthread_create(sweeper_fn, step, "kwaitd/sweep");
	/* EAGAIN: there is no pid left, or no thread. Here it has another meaning. */
	if (IS_ERR(p))
		return PTR_ERR(p) == -EAGAIN ? -ENOMEM : PTR_ERR(p);
	get_task_struct(p);
	wake_up_process(p);
	swept = wait_for_completion_timeout(&step->swept, HZ);
	if (!swept) {
		/* Past the hook, whether there was one or not. */
		while (pid_alive(p))
			schedule_timeout_uninterruptible(1);
		swept = try_wait_for_completion(&step->swept);
	}
	/* It must not run this module's code any more. */
	kthread_stop(p);
	put_task_struct(p);
	return swept ? (int)step->nr : -EOPNOTSUPP;
}

static void step_drop(struct step *step)
{
	while (step->nr)
		put_task_struct(step->tasks[--step->nr]);
}

/* Sweep what is in a step, and let go of it. Return: how many, or an errno. */
static int step_sweep(struct step *step)
{
	unsigned int all = step->nr;
	int n = step_run(step), i;

	for (i = 0; i < n; i++) {
		kwaitd_reaper_release(step->tasks[i]);
		cond_resched();
	}
	step->nr = all;
	step_drop(step);
	return n;
}

/* RCU */
static void step_add(struct step *step, struct task_struct *p)
{
	get_task_struct(p);
	step->tasks[step->nr++] = p;
}

/*
 * A zombie has had its last turn on a CPU when it died. The clock of these turns is
 * a CPU's own, may stand still in interrupts, and current's is of its last tick.
 */
static bool older(struct task_struct *p, u64 age)
{
	return !age || (s64)(current->se.exec_start - p->se.exec_start) >= (s64)age;
}

/*
 * Find up to a step of zombies of a reaper, from *nr on.
 * Return: whether there may be more.
 */
static bool find_zombies(struct step *step, struct pid *reaper, u64 min_age, int *nr)
{
	struct pid_namespace *ns = ns_of_pid(reaper);
	struct task_struct *p;
	struct pid *pid;

	while (step->nr < STEP) {
		rcu_read_lock();
		pid = kwaitd_pid_next(ns, nr);
		p = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
		if (p && kwaitd_adopt_child(p, reaper) && is_zombie(p) &&
		    kwaitd_adopt_orphan(p) && older(p, min_age))
			step_add(step, p);
		rcu_read_unlock();
		if (!pid)
			return false;
		++*nr;
		cond_resched();
	}
	return true;
}

/**
 * kwaitd_sweep() - release the zombies of an adopted reaper
 * @reaper: its thread group
 * @min_age: nanoseconds they must have been dead for
 * @dry_run: only count them
 * @total: set to how many
 *
 * Context: process context; may sleep.
 * Return: 0, also if it went wrong after some were released; or see KWAITD_IOC_REAP.
 */
int kwaitd_sweep(struct pid *reaper, u64 min_age, bool dry_run, u32 *total)
{
	struct step step = { };
	int nr = 0, n, err;
	bool more;

	*total = 0;
	err = kwaitd_adopt_state(reaper);
	if (err)
		return err;
	do {
		more = find_zombies(&step, reaper, min_age, &nr);
		n = step.nr;
		if (dry_run)
			step_drop(&step);
		else if (n)
			n = step_sweep(&step);
		if (n < 0)
			return *total ? 0 : n;
		*total += n;
	} while (more && !fatal_signal_pending(current));
	return 0;
}

/* Orphans in their grace time */

static LLIST_HEAD(fresh);		/* from the notify hook, youngest first */
static atomic_long_t nr_graces;

/* Of before, oldest first, and where the next one goes; the work's own */
static struct llist_node *graces, **graces_end = &graces;

/* How often those are forgotten that have been waited for */
#define FORGET (5UL * HZ)

static struct kwaitd_later grace_work;

/**
 * kwaitd_grace_add() - an orphan becomes a zombie for a while
 * @p: its group leader
 * @a: its reaper, with a reference if this succeeds
 *
 * Context: notify hook.
 * Return: false if there is no memory.
 */
bool kwaitd_grace_add(struct task_struct *p, struct kwaitd_adoption *a)
{
	struct kwaitd_mark *mark = kwaitd_pool_get();

	if (!mark)
		return false;
	*mark = (struct kwaitd_mark){
		.pid = get_pid(task_tgid(p)),
		.reaper = a,
		.died = jiffies,
	};
	atomic_long_inc(&nr_graces);
	llist_add(&mark->llist, &fresh);
	kwaitd_later(&grace_work,
		     min(msecs_to_jiffies(READ_ONCE(kwaitd_grace_ms)), FORGET));
	return true;
}

static void graces_append_fresh(void)
{
	struct llist_node *youngest = llist_del_all(&fresh);

	if (!youngest)
		return;
	*graces_end = llist_reverse_order(youngest);
	graces_end = &youngest->next;
}

static struct kwaitd_mark *grace_mark(struct llist_node *node)
{
	return llist_entry(node, struct kwaitd_mark, llist);
}

/* Take it out of where it is in graces. */
static void grace_drop(struct llist_node **where)
{
	struct kwaitd_mark *mark = grace_mark(*where);

	*where = mark->llist.next;
	if (!*where)
		graces_end = where;
	atomic_long_dec(&nr_graces);
	kwaitd_adopt_grace_over(mark->reaper);
	put_pid(mark->pid);
	kwaitd_pool_free(mark);
}

static void graces_forget(void)
{
	struct llist_node **where = &graces;

	while (*where) {
		if (pid_has_task(grace_mark(*where)->pid, PIDTYPE_TGID))
			where = &(*where)->next;
		else
			grace_drop(where);
		cond_resched();
	}
}

/*
 * Have those in a step whose time is over.
 * @left: set to the jiffies until that of the next is; -1: there is none
 * Return: how many it was, the first of graces
 */
static unsigned int graces_over(struct step *step, long *left)
{
	unsigned long grace = msecs_to_jiffies(READ_ONCE(kwaitd_grace_ms));
	struct llist_node *node;
	struct kwaitd_mark *mark;
	struct task_struct *p;
	unsigned int n = 0;

	for (node = graces; node; node = node->next) {
		mark = grace_mark(node);
		*left = mark->died + grace - jiffies;
		if (*left > 0)
			return n;
		*left = 0;
		if (step->nr == STEP)
			return n;
		rcu_read_lock();
		p = pid_task(mark->pid, PIDTYPE_TGID);
		if (p)
			step_add(step, p);
		rcu_read_unlock();
		n++;
	}
	*left = -1;
	return n;
}

static void kwaitd_grace(struct work_struct *work)
{
	static unsigned long forgotten;
	struct step step = { };
	unsigned int over;
	long left;

	graces_append_fresh();
	if (time_after(jiffies, forgotten + FORGET)) {
		graces_forget();
		forgotten = jiffies;
	}
	over = graces_over(&step, &left);
	if (step.nr && step_sweep(&step) < 0) {
		/* No memory, or no pid, for a thread: these zombies may have them all. */
		kwaitd_later(&grace_work, HZ);
		return;
	}
	while (over--)
		grace_drop(&graces);
	if (left >= 0)
		kwaitd_later(&grace_work, min((unsigned long)left, FORGET));
}

/**
 * kwaitd_grace_changed() - grace_ms has
 *
 * Context: process context.
 */
void kwaitd_grace_changed(void)
{
	/* For some the time may be over now. */
	kwaitd_later_now(&grace_work);
}

/**
 * kwaitd_grace_count() - how many orphans are in their grace time
 *
 * Context: any.
 */
unsigned long kwaitd_grace_count(void)
{
	return atomic_long_read(&nr_graces);
}

void kwaitd_sweep_init(void)
{
	kwaitd_later_init(&grace_work, kwaitd_grace);
}

/**
 * kwaitd_sweep_exit() - who is a zombie now is its reaper's
 *
 * Context: process context; may sleep. The hooks are disarmed.
 */
void kwaitd_sweep_exit(void)
{
	kwaitd_later_exit(&grace_work);
	graces_append_fresh();
	while (graces)
		grace_drop(&graces);
}
