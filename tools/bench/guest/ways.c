// SPDX-License-Identifier: GPL-2.0
/*
 * The ways to have a child's end behind oneself, from the oldest to what the
 * kernel or the module does without the parent.
 *
 * The child is nothing but its exit(). It is created with no stack and never
 * returns from the system call, so that nothing but the kernel's work is counted.
 * Who does not wait lets it come to that by CLONE_VFORK, as posix_spawn() does: else
 * it would be measured how many children a parent can have before it loses the CPU.
 */
#include "bench.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

#include "../../../selftests/lib/ctl.h"

#define CLONE_PTHREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |	\
		       CLONE_THREAD | CLONE_SYSVSEM)

const struct kind kinds[NR_KINDS] = {
	[THREAD] = { "thread", FOR_THREAD, CLONE_PTHREAD },
	[TEAM] = { "team", FOR_TEAM, CLONE_PTHREAD, .team = true },
	[VM] = { "vm", FOR_VM, CLONE_VM },
	[FORK] = { "fork", FOR_FORK, 0 },
};

/*
 * clone(); the child ends with exit(0), from where on it is counted (profile.c), and until
 * then touches no memory.
 */
pid_t child_create(unsigned long flags, int *pidfd)
{
	register long ctid asm("r10") = 0;
	register long tls asm("r8") = 0;
	long ret;

	asm volatile("syscall\n\t"
		     "test %%eax, %%eax\n\t"
		     "jnz 1f\n\t"
		     MARK("2")
		     "mov %[exit], %%eax\n\t"
		     "xor %%edi, %%edi\n\t"
		     "syscall\n"
		     "1:"
		     : "=a" (ret)
		     : "a" (SYS_clone), "D" (flags), "S" (0), "d" (pidfd),
		       "r" (ctid), "r" (tls), [exit] "i" (SYS_exit)
		     : "rcx", "r11", "memory");
	return ret;
}

/* The same with clone3(), for flags that clone() has no room for */
static pid_t child_create3(unsigned long flags)
{
	struct clone_args args = { .flags = flags };
	long ret;

	asm volatile("syscall\n\t"
		     "test %%eax, %%eax\n\t"
		     "jnz 1f\n\t"
		     MARK("2")
		     "mov %[exit], %%eax\n\t"
		     "xor %%edi, %%edi\n\t"
		     "syscall\n"
		     "1:"
		     : "=a" (ret)
		     : "a" (SYS_clone3), "D" (&args), "S" (sizeof(args)),
		       [exit] "i" (SYS_exit)
		     : "rcx", "r11", "memory");
	return ret;
}

/* A child that has a child, and then both end with exit(0) */
pid_t child_create_twice(unsigned long flags)
{
	register long second asm("r12") = flags | SIGCHLD;
	long ret;

	asm volatile("xor %%r10, %%r10\n\t"
		     "xor %%r8, %%r8\n\t"
		     "syscall\n\t"
		     "test %%eax, %%eax\n\t"
		     "jnz 1f\n\t"
		     "mov %[clone], %%eax\n\t"
		     "mov %%r12, %%rdi\n\t"
		     "syscall\n\t"
		     "mov %[exit], %%eax\n\t"
		     "xor %%edi, %%edi\n\t"
		     "syscall\n"
		     "1:"
		     : "=a" (ret)
		     : "a" (SYS_clone), "D" (flags | SIGCHLD), "S" (0), "d" (0),
		       "r" (second), [clone] "i" (SYS_clone), [exit] "i" (SYS_exit)
		     : "rcx", "r8", "r10", "r11", "memory");
	return ret;
}

pid_t child_sleeping(unsigned long flags)
{
	long ret;

	asm volatile("xor %%r10, %%r10\n\t"
		     "xor %%r8, %%r8\n\t"
		     "syscall\n\t"
		     "test %%eax, %%eax\n\t"
		     "jnz 2f\n"
		     "1:\n\t"
		     "mov %[pause], %%eax\n\t"
		     "syscall\n\t"
		     "jmp 1b\n"
		     "2:"
		     : "=a" (ret)
		     : "a" (SYS_clone), "D" (flags), "S" (0), "d" (0),
		       [pause] "i" (SYS_pause)
		     : "rcx", "r8", "r10", "r11", "memory");
	return ret;
}

/* wait4() */

static void wait4_child(const struct way *way, const struct kind *kind)
{
	pid_t pid = child_create(kind->flags | way->flags, NULL);

	need(pid > 0 && wait4(pid, NULL, 0, NULL) == pid);
}

static sigset_t before;

static void block_sigchld(void)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	need(!sigprocmask(SIG_BLOCK, &chld, &before));
}

/* SIGCHLD and a handler that collects whoever is there */

static volatile sig_atomic_t collected, handled;

static void collect(int sig)
{
	(void)sig;
	handled++;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		collected++;
}

static void handler_enter(void)
{
	block_sigchld();
	signal(SIGCHLD, collect);
}

static void handler_child(const struct way *way, const struct kind *kind)
{
	collected = 0;
	need(child_create(kind->flags | way->flags, NULL) > 0);
	while (!collected)
		sigsuspend(&before);
}

static void handler_flood(const struct way *way, const struct kind *kind, int n)
{
	int i;

	collected = 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	for (i = 0; i < n; i++) {
		flood_look(i);
		need(child_create(kind->flags | way->flags, NULL) > 0);
	}
	block_sigchld();
	while (collected < n)
		sigsuspend(&before);
}

/* How many signals have come since the last time, to the handler or the descriptor */
long ways_handled(void)
{
	long n = handled;

	handled = 0;
	return n;
}

static void handler_leave(void)
{
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* signalfd() */

static int sigfd;

static void signalfd_enter(void)
{
	sigset_t chld;

	block_sigchld();
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigfd = signalfd(-1, &chld, SFD_CLOEXEC);
	need(sigfd >= 0);
}

static void signalfd_child(const struct way *way, const struct kind *kind)
{
	struct signalfd_siginfo info;

	need(child_create(kind->flags | way->flags, NULL) > 0);
	need(read(sigfd, &info, sizeof(info)) == sizeof(info));
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void signalfd_flood(const struct way *way, const struct kind *kind, int n)
{
	struct pollfd p = { .fd = sigfd, .events = POLLIN };
	struct signalfd_siginfo info;
	int i, ended = 0;

	for (i = 0; ended < n; i++) {
		flood_look(i);
		if (i < n)
			need(child_create(kind->flags | way->flags, NULL) > 0);
		if (poll(&p, 1, i < n ? 0 : -1) != 1)
			continue;
		need(read(sigfd, &info, sizeof(info)) == sizeof(info));
		handled++;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			ended++;
	}
}

static void signalfd_leave(void)
{
	close(sigfd);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* A pidfd, as an event loop has it */

static void pidfd_child(const struct way *way, const struct kind *kind)
{
	struct pollfd p = { .fd = -1, .events = POLLIN };
	siginfo_t info;

	need(child_create(kind->flags | way->flags, &p.fd) > 0);
	need(poll(&p, 1, -1) == 1);
	need(!waitid(P_PIDFD, p.fd, &info, WEXITED));
	close(p.fd);
}

/* Nobody waits: the kernel is told that nobody will, or a flag says so */

static void ignore_sigchld(void)
{
	signal(SIGCHLD, SIG_IGN);
}

static void default_sigchld(void)
{
	signal(SIGCHLD, SIG_DFL);
}

static void unwaited_child(const struct way *way, const struct kind *kind)
{
	need(child_create(kind->flags | way->flags, NULL) > 0);
}

static void unwaited_flood(const struct way *way, const struct kind *kind, int n)
{
	unsigned long flags = (kind->flags | way->flags) & ~CLONE_VFORK;
	int i;

	for (i = 0; i < n; i++) {
		flood_look(i);
		need(child_create(flags, NULL) > 0);
	}
}

static void unwaited_flood3(const struct way *way, const struct kind *kind, int n)
{
	unsigned long flags = (kind->flags | way->flags) & ~CLONE_VFORK;
	int i;

	for (i = 0; i < n; i++) {
		flood_look(i);
		need(child_create3(flags) > 0);
	}
}

static void unwaited_child3(const struct way *way, const struct kind *kind)
{
	need(child_create3(kind->flags | way->flags) > 0);
}

/* The daemon's way: the child of a child, for init to wait for */

static void twice_child(const struct way *way, const struct kind *kind)
{
	pid_t pid = child_create_twice(kind->flags);

	(void)way;
	need(pid > 0 && wait4(pid, NULL, 0, NULL) == pid);
}

/* The same with an init that ignores SIGCHLD, or one that is adopted */

static void init_ignores(void)
{
	init_order(SIGUSR1);
}

static void init_waits(void)
{
	init_order(SIGUSR2);
}

static void init_is_adopted(void)
{
	need(!kw_adopt(getppid()));
}

static void init_is_released(void)
{
	need(!kw_release(getppid()));
}

/* One's own child, in an adopted reaper */

static void become_adopted(void)
{
	need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	need(!kw_adopt(getpid()));
}

static void be_released(void)
{
	need(!kw_release(getpid()));
	need(!prctl(PR_SET_CHILD_SUBREAPER, 0));
}

/* The kernel's PROC_USER_INIT_INO */
#define INITIAL_USERNS "4026531837"

#define PROCESS (FOR_VM | FOR_FORK)
#define THREADS (FOR_THREAD | FOR_TEAM)
#define ANY (THREADS | PROCESS)
/* The module releases a thread at once where there is one at a time. */
#define BATCHED (FOR_TEAM | PROCESS)
#define UNWAITED CLONE_VFORK
#define DETACHED (CLONE_VFORK | CLONE_DETACHED)

const struct way ways[] = {
	{ "wait4", PROCESS, .flags = SIGCHLD, .child = wait4_child },
	{ "handler", PROCESS, .flags = SIGCHLD, .child = handler_child,
	  .flood = handler_flood, .enter = handler_enter, .leave = handler_leave },
	{ "signalfd", PROCESS, .flags = SIGCHLD, .child = signalfd_child,
	  .flood = signalfd_flood, .enter = signalfd_enter, .leave = signalfd_leave },
	{ "pidfd", PROCESS, .flags = SIGCHLD | CLONE_PIDFD, .child = pidfd_child },
	{ "double", PROCESS, .child = twice_child },
	{ "double/ignore", PROCESS, .child = twice_child,
	  .enter = init_ignores, .leave = init_waits },
	{ "double/adopted", PROCESS, .set = { "detached", "default" },
	  .child = twice_child, .enter = init_is_adopted, .leave = init_is_released },
	{ "own", PROCESS, .set = { "none", "1" }, .flags = SIGCHLD, .child = wait4_child,
	  .enter = become_adopted, .leave = be_released },
	{ "init", PROCESS, .flags = CLONE_NEWPID | SIGCHLD, .child = wait4_child },
	{ "init/cgroup", PROCESS, .set = { "none", "1", "cgroup:/" },
	  .flags = CLONE_NEWPID | SIGCHLD, .child = wait4_child },
	{ "init/userns", PROCESS, .set = { "none", "1", "userns:" INITIAL_USERNS },
	  .flags = CLONE_NEWPID | SIGCHLD, .child = wait4_child },
	{ "ignore", PROCESS, .flags = UNWAITED | SIGCHLD, .child = unwaited_child,
	  .flood = unwaited_flood, .enter = ignore_sigchld, .leave = default_sigchld },
	{ "autoreap", PROCESS, .native = true, .flags = UNWAITED | CLONE_AUTOREAP,
	  .child = unwaited_child3, .flood = unwaited_flood3 },
	{ "ordinary", THREADS, .flags = UNWAITED,
	  .child = unwaited_child, .flood = unwaited_flood },
	{ "thread", THREADS, .flags = DETACHED,
	  .child = unwaited_child, .flood = unwaited_flood },
	{ "inline", ANY, .set = { "none", "1" }, .flags = DETACHED,
	  .child = unwaited_child, .flood = unwaited_flood },
	{ "kwaitd", ANY, .set = { "detached", "default" }, .flags = DETACHED,
	  .child = unwaited_child, .flood = unwaited_flood },
	{ "kwaitd/1", BATCHED, .set = { "detached", "1" }, .flags = DETACHED,
	  .child = unwaited_child, .flood = unwaited_flood },
	{ "kwaitd/4", BATCHED, .set = { "detached", "4" }, .flags = DETACHED,
	  .child = unwaited_child, .flood = unwaited_flood },
	{ "kwaitd/16", BATCHED, .set = { "detached", "16" }, .flags = DETACHED,
	  .child = unwaited_child, .flood = unwaited_flood },
	{ "kwaitd/64", BATCHED, .set = { "detached", "64" }, .flags = DETACHED,
	  .child = unwaited_child, .flood = unwaited_flood },
};

const unsigned int nr_ways = ARRAY_LEN(ways);
