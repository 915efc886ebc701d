/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kwaitd: children and threads that nobody has to wait for.
 *
 * The files, from the top: each calls only files below its own line, or to its left.
 *
 *	main			load and unload
 *	ctl debugfs selftest	/dev/kwaitd, /sys/kernel/debug/kwaitd, a try at load
 *	hooks hooks_birth hooks_exit	the places where the kernel's code is left
 *	death			what the death of a task means
 *
 *   What a task means: nobody waits for it
 *	auto			the policy for new containers
 *	sweep grace		zombies: those asked for; those whose time is over
 *	zombie			how a zombie is taken from its parent
 *	adopt			adopted reapers, and who is an orphan of one
 *	family			their own children
 *	status			how a detached process ended
 *	clone3			CLONE_AUTOREAP for kernels that do not know it
 *	mark			who was created detached
 *
 *   Who releases a task, and when. With offload=none nothing of this runs, but for the look
 *   that finds so.
 *	release			is it queued, and who releases it then?
 *	drain			the threads kwaitd/N, which release what is queued
 *	queue			the queues
 *	defer			why a task is released at once
 *	limits			is somebody about to be refused a fork?
 *
 *   What all stand on
 *	hook			how a function is hooked
 *	trace			tracepoints
 *	origin pidtab pool	whose child an orphan was; processes by pid; memory for hooks
 *	count later param	counters; work for later; parameters
 *	task.h compat.h		reading a task; what differs between kernels
 *
 * The way of a task through them:
 *
 *   clone(CLONE_DETACHED)		exit()
 *   clone3(CLONE_AUTOREAP): clone3	  |
 *	|				hooks: notify
 *   hooks: fork			  |  death: is anybody told?
 *	|				  |  mark, adopt, grace
 *   mark: kwaitd_mark_fork		hooks: release
 *   adopt: kwaitd_adopt_fork		  |  death: what is it? status keeps a record
 *					release: kwaitd_release_decide
 *					  |  defer: may it wait a moment?
 *					queue
 *					  |
 *					drain: kwaitd/N -> release_task(); or release: who
 *					would have waited
 */
#ifndef _KWAITD_H
#define _KWAITD_H

/* What main.c joins, and nobody else calls */

int kwaitd_ctl_init(void);
void kwaitd_ctl_exit(void);
void kwaitd_debugfs_init(void);
void kwaitd_debugfs_exit(void);
int kwaitd_selftest(void);

#endif /* _KWAITD_H */
