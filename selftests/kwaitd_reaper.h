/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A reaper on a string: a process, as a rule the init of a pid namespace, that does
 * what the test tells it and nothing else. In particular it waits for nobody unless
 * told to. And the commands of /dev/kwaitd to adopt it.
 */
#ifndef _KWAITD_REAPER_H
#define _KWAITD_REAPER_H

#include "kwaitd_test.h"

#include <linux/kwaitd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum kw_op {
	KW_CHILD,	/* an own child, made as arg says; returns its pid */
	KW_ORPHANS,	/* arg of them, that die as arg2 says; collects their parent */
	KW_LIVING,	/* arg orphans that live until killed */
	KW_KILL,	/* arg with signal arg2 */
	KW_WAIT,	/* for arg; returns what waitpid() did, and the status */
	KW_SIGCHLD,	/* returns whether it came since it was last asked */
	KW_SUBREAPER,	/* become one, or with arg 0 stop being one */
	KW_COLLECT,	/* all that are dead; returns how many */
	KW_EXEC,	/* itself; arg: in another thread */
	KW_SPAWN,	/* a child on the second string, with clone flags arg */
	KW_EXIT,	/* with arg */
};

/* KW_BY_EXEC: by fork, and the child executes a program in another thread */
enum kw_how { KW_BY_FORK, KW_BY_THREAD, KW_BY_VFORK, KW_BY_EXEC, KW_BY_SIBLING };
enum kw_death { KW_AFTER_PARENT, KW_BEFORE_PARENT, KW_BY_SIGNAL };

struct kw_order {
	enum kw_op op;
	long arg, arg2;
};

struct kw_answer {
	long ret;
	int status, err;
};

/* The reaper's end of the string */
struct kw_reaper {
	int fd;
	pid_t pid;
};

/* An own child, or a living orphan: SIGUSR1 makes it exit with KW_CODE. */
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

/* Become another program, or the same again, in a thread that is not the first. */
static inline void *kw_exec_linger(void *arg)
{
	(void)arg;
	execl("/proc/self/exe", "kw-linger", NULL);
	_exit(1);
}

static inline void *kw_exec_reaper(void *fd)
{
	execl("/proc/self/exe", "kw-reaper", fd, NULL);
	_exit(1);
}

static inline void kw_exec_in_thread(void *(*exec)(void *arg), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exec, arg))
		_exit(1);
	pause();
	_exit(1);
}

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
		 * Not before it has got there: a blocked signal on its way to the
		 * old leader has complete_signal() of 6.7 and later look for that
		 * among the threads for ever, since next_thread() goes from the
		 * last to the new one.
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

/* A child that has n children and dies. Return: the same, or -1 */
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
		/* until its parent is dead, or as good as that */
		if (death != KW_BEFORE_PARENT && read(gate[0], &c, 1))
			_exit(1);
		kw_die(death);
	}
	/* The last is a zombie, and who was before it, nearly always. */
	if (death == KW_BEFORE_PARENT &&
	    waitid(P_PID, pid, &info, WEXITED | WNOWAIT))
		_exit(1);
	_exit(0);
}

static inline void kw_reaper_main(int fd);

static inline struct kw_answer kw_obey(int fd, struct kw_order *o)
{
	struct kw_answer a = {};
	char arg[16];

	switch (o->op) {
	case KW_CHILD:
		a.ret = kw_own_child(o->arg);
		break;
	case KW_ORPHANS:
		a.ret = kw_orphans(o->arg, o->arg2, false);
		break;
	case KW_LIVING:
		a.ret = kw_orphans(o->arg, 0, true);
		break;
	case KW_KILL:
		a.ret = kill(o->arg, o->arg2);
		break;
	case KW_WAIT:
		a.ret = waitpid(o->arg, &a.status, o->arg2);
		break;
	case KW_SIGCHLD:
		a.ret = kw_took_sigchld();
		break;
	case KW_SUBREAPER:
		a.ret = prctl(PR_SET_CHILD_SUBREAPER, o->arg);
		break;
	case KW_COLLECT:
		while (waitpid(-1, NULL, WNOHANG) > 0)
			a.ret++;
		break;
	case KW_EXEC:
		/* It answers when it is there again. */
		snprintf(arg, sizeof(arg), "%d", fd);
		if (o->arg)
			kw_exec_in_thread(kw_exec_reaper, arg);
		execl("/proc/self/exe", "kw-reaper", arg, NULL);
		a.ret = -1;
		break;
	case KW_SPAWN:
		a.ret = kw_fork(o->arg | SIGCHLD);
		if (!a.ret) {
			close(fd);
			prctl(PR_SET_NAME, "kw-inner");
			kw_reaper_main(fd + 2);
		}
		close(fd + 2);
		break;
	case KW_EXIT:
		_exit(o->arg);
	}
	a.err = errno;
	return a;
}

/* What a reaper does. fd: a socket; two above may be that of another */
static inline void kw_reaper_main(int fd)
{
	struct kw_answer a;
	struct kw_order o;
	sigset_t set;

	/* SIGUSR1 is for children, before they are ready for it. */
	kw_hold_sigchld();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (recv(fd, &o, sizeof(o), 0) == sizeof(o)) {
		a = kw_obey(fd, &o);
		if (send(fd, &a, sizeof(a), 0) != sizeof(a))
			break;
	}
	_exit(0);
}

/* The other things that this program can be */
static void __attribute__((constructor)) kw_reaper_exec(int argc, char **argv)
{
	struct kw_answer a = {};
	int fd;

	if (argc == 1 && !strcmp(argv[0], "kw-linger"))
		kw_linger();
	if (argc != 2 || strcmp(argv[0], "kw-reaper"))
		return;
	fd = atoi(argv[1]);
	if (send(fd, &a, sizeof(a), 0) == sizeof(a))
		kw_reaper_main(fd);
	_exit(1);
}

/*
 * Start a reaper, with clone flags such as CLONE_NEWPID, that goes when the caller
 * does. inner: where to put the string of the child that it may spawn, or NULL
 */
static inline bool kw_reaper_start(struct kw_reaper *r, unsigned long flags,
				   struct kw_reaper *inner)
{
	int fds[4];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds + 2))
		return false;
	r->pid = kw_fork(flags | SIGCHLD);
	if (!r->pid) {
		close(fds[0]);
		close(fds[2]);
		/* away from each other by two, wherever they were */
		dup2(fds[1], 100);
		dup2(fds[3], 102);
		close(fds[1]);
		close(fds[3]);
		kw_reaper_main(100);
	}
	close(fds[1]);
	close(fds[3]);
	r->fd = fds[0];
	if (inner)
		*inner = (struct kw_reaper){ .fd = fds[2] };
	else
		close(fds[2]);
	return r->pid > 0;
}

/* kw_tell2() in two halves: the order, and what became of it */
static inline bool kw_send(struct kw_reaper *r, enum kw_op op, long arg, long arg2)
{
	struct kw_order o = { op, arg, arg2 };

	return send(r->fd, &o, sizeof(o), 0) == sizeof(o);
}

static inline struct kw_answer kw_answer(struct kw_reaper *r)
{
	struct kw_answer a;

	if (recv(r->fd, &a, sizeof(a), 0) == sizeof(a))
		return a;
	return (struct kw_answer){ .ret = -1, .err = EPIPE };
}

static inline struct kw_answer kw_tell2(struct kw_reaper *r, enum kw_op op,
					long arg, long arg2)
{
	if (kw_send(r, op, arg, arg2))
		return kw_answer(r);
	return (struct kw_answer){ .ret = -1, .err = EPIPE };
}

/* Return: what it returned */
static inline long kw_tell(struct kw_reaper *r, enum kw_op op, long arg)
{
	return kw_tell2(r, op, arg, 0).ret;
}

/* Make it exit. Return: its status, for the parent */
static inline int kw_reaper_stop(struct kw_reaper *r)
{
	struct kw_order o = { .op = KW_EXIT, .arg = KW_CODE };
	int status = -1;

	if (send(r->fd, &o, sizeof(o), 0) != sizeof(o))
		kill(r->pid, SIGKILL);
	waitpid(r->pid, &status, 0);
	/* Not before: a recv() that is about to block may see the end, and no order. */
	close(r->fd);
	return status;
}

/* An own child of it dies, sends its signal and is collected. */
static inline bool kw_child_ends(struct kw_reaper *r, long pid)
{
	struct kw_answer a;

	if (kw_tell2(r, KW_KILL, pid, SIGUSR1).ret)
		return false;
	a = kw_tell2(r, KW_WAIT, pid, 0);
	return a.ret == pid && a.status == KW_EXITED && kw_tell(r, KW_SIGCHLD, 0);
}

/* How many of its children are zombies */
static inline int kw_zombies_of(pid_t parent)
{
	DIR *proc = opendir("/proc");
	char line[512], *paren, state;
	struct dirent *p;
	int n = 0, ppid;

	while (proc && (p = readdir(proc))) {
		if (p->d_name[0] < '0' || p->d_name[0] > '9' ||
		    !kw_proc_line(p->d_name, "stat", line, sizeof(line)))
			continue;
		paren = strrchr(line, ')');
		if (paren && sscanf(paren, ") %c %d", &state, &ppid) == 2 &&
		    ppid == parent && state == 'Z')
			n++;
	}
	if (proc)
		closedir(proc);
	return n;
}

/* Its only child, or 0 */
static inline pid_t kw_child_of(pid_t parent)
{
	char name[32], line[64] = "", id[16];

	snprintf(id, sizeof(id), "%d", parent);
	snprintf(name, sizeof(name), "task/%d/children", parent);
	return kw_proc_line(id, name, line, sizeof(line)) ? atoi(line) : 0;
}

/* Is it in this system call? */
static inline bool kw_is_in(pid_t pid, long nr)
{
	char id[16], line[256];

	snprintf(id, sizeof(id), "%d", pid);
	return kw_proc_line(id, "syscall", line, sizeof(line)) &&
	       line[0] != 'r' && atol(line) == nr;
}

static inline int kw_pidfd(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

/* A command of /dev/kwaitd. Return: 0 or errno */
static inline int kw_ctl(unsigned long cmd, void *arg)
{
	int fd = open("/dev/kwaitd", O_RDWR | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (ioctl(fd, cmd, arg))
		err = errno;
	close(fd);
	return err;
}

static inline int kw_ctl_pid(unsigned long cmd, pid_t pid, __s32 *pidfd, void *arg)
{
	int err;

	*pidfd = kw_pidfd(pid);
	err = kw_ctl(cmd, arg);
	close(*pidfd);
	return err;
}

static inline int kw_adopt(pid_t pid)
{
	struct kwaitd_adopt arg = {};

	return kw_ctl_pid(KWAITD_IOC_ADOPT, pid, &arg.pidfd, &arg);
}

static inline int kw_release(pid_t pid)
{
	struct kwaitd_adopt arg = {};

	return kw_ctl_pid(KWAITD_IOC_RELEASE, pid, &arg.pidfd, &arg);
}

/* Return: how many, or a negative errno */
static inline long kw_reap(pid_t pid, __u64 min_age, __u32 flags)
{
	struct kwaitd_reap arg = { .flags = flags, .min_age = min_age };
	int err = kw_ctl_pid(KWAITD_IOC_REAP, pid, &arg.pidfd, &arg);

	return err ? -err : (long)arg.nr;
}

/* What the list says of a reaper. Return: whether it is in it */
static inline bool kw_listed(pid_t pid, struct kwaitd_reaper *reaper)
{
	struct kwaitd_reaper reapers[64];
	struct kwaitd_list list = {
		.reapers = (uintptr_t)reapers,
		.nr = 64,
		.size = sizeof(*reapers),
	};
	unsigned int i;

	if (kw_ctl(KWAITD_IOC_LIST, &list))
		return false;
	for (i = 0; i < list.nr && i < 64; i++) {
		if (reapers[i].pid == pid) {
			*reaper = reapers[i];
			return true;
		}
	}
	return false;
}

/* Have so many of its orphans died since it was adopted, and none is left? */
static inline bool kw_took_orphans(pid_t pid, long n)
{
	struct kwaitd_reaper info;

	return kw_until(kw_listed(pid, &info) && (long)info.orphans == n) &&
	       kw_until(kw_at_rest() && kw_zombies_of(pid) == 0);
}

#ifndef KW_NO_HARNESS

/*
 * A reaper, and with the module's default parameters. In the end all are gone, and
 * so is all that the module kept of them.
 */
FIXTURE(reaper) {
	struct kw_reaper r, inner;
};

FIXTURE_SETUP(reaper)
{
	if (!kw_loaded())
		SKIP(_exit(255), "kwaitd is not loaded");
	ASSERT_EQ(0, kw_write(KW_PARAMS "grace_ms", "0"));
	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "off"));
	ASSERT_TRUE(kw_until(kw_at_rest() && kw_dead_tasks() == 0));
	ASSERT_TRUE(kw_reaper_start(&self->r, CLONE_NEWPID, &self->inner));
}

FIXTURE_TEARDOWN(reaper)
{
	kw_write(KW_PARAMS "grace_ms", "0");
	kw_write(KW_PARAMS "auto_adopt", "off");
	EXPECT_EQ(KW_EXITED, kw_reaper_stop(&self->r));
	close(self->inner.fd);
	EXPECT_TRUE(kw_until(kw_at_rest() && kw_dead_tasks() == 0));
	/* The module looks for reapers that have died every ten seconds. */
	EXPECT_TRUE(kw_until(kw_stat("adopted") == 0));
	EXPECT_TRUE(kw_until(kw_stat("own_children") == 0));
}

#endif /* KW_NO_HARNESS */
#endif /* _KWAITD_REAPER_H */
