/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads, created by clone() itself because the C library would not pass
 * CLONE_DETACHED, and what such threads do. A thread uses its creator's TLS: it must not
 * use libc functions that set errno.
 */
#ifndef _KWAITD_LIB_THREAD_H
#define _KWAITD_LIB_THREAD_H

#include "clone.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define KW_STACK 16384

/* *tid is set to the thread's id, and to 0 when the thread has ended. */
static inline pid_t kw_clone_thread(unsigned long flags, int (*fn)(void *),
				    void *stack, void *arg, pid_t *tid)
{
	return clone(fn, (char *)stack + KW_STACK,
		     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		     CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
		     CLONE_CHILD_CLEARTID | flags,
		     arg, tid, NULL, tid);
}

/* A detached thread, such as CLONE_DETACHED was made for: its exit is one system call. */
static inline pid_t kw_thread(int (*fn)(void *), void *stack, void *arg,
			      pid_t *tid)
{
	return kw_clone_thread(CLONE_DETACHED, fn, stack, arg, tid);
}

/* Return: stacks for n threads, KW_STACK apart, or NULL */
static inline void *kw_stacks(unsigned int n)
{
	void *p = mmap(NULL, (size_t)n * KW_STACK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* A thread that exits at once */
static inline int kw_thread_exits(void *arg)
{
	(void)arg;
	syscall(SYS_exit, 0);
	return 0;
}

/*
 * A thread that waits until its process is killed. That happens at the latest when the
 * thread that created it dies.
 */
static inline int kw_thread_waits(void *arg)
{
	(void)arg;
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
	return 0;
}

/*
 * Start so many threads that stay. A thread whose death leaves two or fewer alive is not
 * queued. After a call with 2, threads that the test creates leave three.
 */
static inline bool kw_company(unsigned int n)
{
	static pid_t tid;

	while (n--) {
		if (kw_thread(kw_thread_waits, kw_stacks(1), NULL, &tid) < 0)
			return false;
	}
	return true;
}

/*
 * For a thread: wait for a byte from the pipe that arg points to. Return: false if the
 * other end was closed instead
 */
static inline bool kw_told(void *arg)
{
	int *gate = arg;
	char c;

	syscall(SYS_close, gate[1]);
	return syscall(SYS_read, gate[0], &c, 1) == 1;
}

#endif /* _KWAITD_LIB_THREAD_H */
