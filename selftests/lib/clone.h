/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Children of each kind, and how to create them. An ordinary child is the control in
 * every test: it becomes a zombie that must be waited for. A test that cannot tell a
 * detached child from an ordinary one fails.
 */
#ifndef _KWAITD_LIB_CLONE_H
#define _KWAITD_LIB_CLONE_H

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_DETACHED
#define CLONE_DETACHED 0x00400000
#endif

/* An exit code that means nothing else, and the wait status of who exits with it */
#define KW_CODE 7
#define KW_EXITED W_EXITCODE(KW_CODE, 0)

enum kw_kind {
	KW_ORDINARY,	/* fork() */
	KW_DETACHED,	/* clone(CLONE_DETACHED) */
	KW_AUTOREAP,	/* clone3(CLONE_AUTOREAP) */
};

/* As fork(), with other flags than SIGCHLD */
static inline pid_t kw_fork(unsigned long flags)
{
	return syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
}

/* As fork(), if args name no stack and no shared memory */
static inline pid_t kw_clone3(struct clone_args *args)
{
	return syscall(SYS_clone3, args, sizeof(*args));
}

/* As fork(): a child of a kind. The further flags must not need a stack. */
static inline pid_t kw_child(enum kw_kind kind, __u64 flags)
{
	struct clone_args args = { .flags = flags };

	switch (kind) {
	case KW_ORDINARY:
		args.exit_signal = SIGCHLD;
		break;
	case KW_DETACHED:
		return kw_fork(flags | CLONE_DETACHED | SIGCHLD);
	case KW_AUTOREAP:
		args.flags |= CLONE_AUTOREAP;
		break;
	}
	return kw_clone3(&args);
}

/*
 * As kw_child(), but the child waits, and exits with KW_CODE when kw_let_die(*die) is
 * called. It also does so when all processes that have *die open are dead.
 */
static inline pid_t kw_child_until(enum kw_kind kind, __u64 flags, int *die)
{
	int fds[2];
	pid_t pid;
	char c;

	if (pipe(fds))
		return -1;
	pid = kw_child(kind, flags);
	if (!pid) {
		close(fds[1]);
		_exit(read(fds[0], &c, 1) < 0 ? 1 : KW_CODE);
	}
	close(fds[0]);
	*die = fds[1];
	return pid;
}

static inline bool kw_let_die(int die)
{
	bool ok = write(die, "", 1) == 1;

	close(die);
	return ok;
}

/* fork() a child that is killed when its parent dies, so that no test leaves it behind */
static inline pid_t kw_helper(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* Return: zeroed memory that is shared with children until they execve(), or NULL */
static inline void *kw_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

#endif /* _KWAITD_LIB_CLONE_H */
