/* SPDX-License-Identifier: GPL-2.0 */
/* The children that a reaper has: its own, created in each way, and orphans. */
#ifndef _KWAITD_LIB_REAPER_CHILDREN_H
#define _KWAITD_LIB_REAPER_CHILDREN_H

#include "clone.h"
#include "reaper_orders.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* What own children and living orphans do: wait for SIGUSR1, then exit with KW_CODE. */
static inline void kw_linger(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &sig);
	_exit(KW_CODE);
}

static inline pid_t kw_fork_linger(void)
{
	pid_t pid = fork();

	if (!pid)
		kw_linger();
	return pid;
}

static inline void *kw_fork_in_thread(void *arg)
{
	*(pid_t *)arg = kw_fork_linger();
	return NULL;
}

/* For a thread: execute this program again, as one that lingers. */
static inline void *kw_exec_linger(void *arg)
{
	(void)arg;
	execl("/proc/self/exe", "kw-linger", NULL);
	_exit(1);
}

/* Have another thread than the leader call exec, which does not return. */
static inline void kw_exec_in_thread(void *(*exec)(void *arg), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exec, arg))
		_exit(1);
	pause();
	_exit(1);
}

/* Create an own child of this process. Return: its pid, or -1 */
static inline pid_t kw_own_child(enum kw_how how)
{
	volatile pid_t *shared;
	pthread_t thread;
	pid_t pid = -1;
	int gate[2];
	char c;

	switch (how) {
	case KW_BY_FORK:
		return kw_fork_linger();
	case KW_BY_THREAD:
		if (pthread_create(&thread, NULL, kw_fork_in_thread, &pid))
			return -1;
		pthread_join(thread, NULL);
		return pid;
	case KW_BY_VFORK:
		pid = vfork();
		if (!pid) {
			execl("/proc/self/exe", "kw-linger", NULL);
			_exit(1);
		}
		return pid;
	case KW_BY_EXEC:
		/*
		 * Return only when the child is the other program. A blocked signal
		 * on its way to the old leader would hang the kernel, from 6.7 on:
		 * complete_signal() goes through the threads until it is back at
		 * the old leader, but next_thread() goes from the last thread to
		 * the new leader.
		 */
		if (pipe2(gate, O_CLOEXEC))
			return -1;
		pid = fork();
		if (!pid)
			kw_exec_in_thread(kw_exec_linger, NULL);
		close(gate[1]);
		if (read(gate[0], &c, 1))
			pid = -1;
		close(gate[0]);
		return pid;
	case KW_BY_SIBLING:
		shared = kw_shared(sizeof(*shared));
		pid = fork();
		if (!pid) {
			pid = kw_fork(CLONE_PARENT | SIGCHLD);
			if (!pid)
				kw_linger();
			*shared = pid;
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		return *shared;
	}
	return -1;
}

static inline void kw_die(enum kw_death death)
{
	if (death == KW_BY_SIGNAL)
		kill(getpid(), SIGKILL);
	_exit(KW_CODE);
}

/* Create a child that creates n children and dies: they are orphans. Return: n or -1 */
static inline long kw_orphans(long n, enum kw_death death, bool living)
{
	pid_t pid = fork();
	int gate[2], status;
	siginfo_t info;
	long i;
	char c;

	if (pid)
		return waitpid(pid, &status, 0) == pid && !status ? n : -1;
	if (pipe(gate))
		_exit(1);
	for (i = 0; i < n; i++) {
		pid = fork();
		if (pid < 0)
			_exit(1);
		if (pid)
			continue;
		if (living)
			kw_linger();
		close(gate[1]);
		/* The parent's exit closes the pipe, just before it is dead. */
		if (death != KW_BEFORE_PARENT && read(gate[0], &c, 1))
			_exit(1);
		kw_die(death);
	}
	/* When the last child is a zombie, the others nearly always are, too. */
	if (death == KW_BEFORE_PARENT &&
	    waitid(P_PID, pid, &info, WEXITED | WNOWAIT))
		_exit(1);
	_exit(0);
}

#endif /* _KWAITD_LIB_REAPER_CHILDREN_H */
