// SPDX-License-Identifier: GPL-2.0
/*
 * Detached children that are created with further flags or in other ways: CLONE_VFORK,
 * CLONE_VM, CLONE_PARENT, namespaces, a cgroup, other users, the 32-bit system call.
 *
 * If this fails, such children become zombies. Or their death is known before it is over:
 * to vfork(), to a cgroup that is then removed, or to RLIMIT_NPROC.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/end.h"
#include "lib/file.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/thread.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define CGROUP "/sys/fs/cgroup/kwaitd_flags"
#define SETUID "/tmp/kwaitd_flags_setuid"
#define OVERFLOW_UID 65534
#define USER 4720
#define OTHER_USER 4721
#define LIMITED_USER 4722	/* and the next two: one for each kind */

/* Shared with the children that do not share all memory */
static volatile int *shared_word(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* 'D' is what a parent is in while its vfork() lasts. */
static bool parent_waits(void)
{
	return kw_until(kw_proc_state(getppid()) == 'D');
}

TEST_F(child, vfork_exit)
{
	volatile int *word = shared_word();
	pid_t pid;

	ASSERT_NE(NULL, word);
	kw_hold_sigchld();
	pid = kw_child(variant->kind, CLONE_VFORK);
	ASSERT_LE(0, pid);
	if (!pid) {
		*word = parent_waits();
		_exit(KW_CODE);
	}
	EXPECT_EQ(1, *word);
	EXPECT_TRUE(kw_ends_with(variant->kind, pid, KW_EXITED));
}

TEST_F(child, vfork_exec)
{
	volatile int *word = shared_word();
	pid_t pid;

	ASSERT_NE(NULL, word);
	kw_hold_sigchld();
	pid = kw_child(variant->kind, CLONE_VFORK);
	ASSERT_LE(0, pid);
	if (!pid) {
		*word = parent_waits();
		execl("/bin/sleep", "sleep", "inf", NULL);
		_exit(1);
	}
	EXPECT_EQ(1, *word);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG | __WALL));
	kill(pid, SIGKILL);
	EXPECT_TRUE(kw_ends_with(variant->kind, pid, W_EXITCODE(0, SIGKILL)));
}

/*
 * clone3() with a stack of its own for the child: it returns there, so it cannot
 * be a C function that calls it.
 */
static pid_t clone3_vm(struct clone_args *args, int (*fn)(void *), void *arg)
{
#ifdef __x86_64__
	register void *r8 asm("r8") = fn;
	register void *r9 asm("r9") = arg;
	long ret = SYS_clone3;

	asm volatile("syscall\n"
		     "test %%rax, %%rax\n"
		     "jnz 1f\n"
		     "xor %%ebp, %%ebp\n"
		     "mov %%r9, %%rdi\n"
		     "call *%%r8\n"
		     "mov %%eax, %%edi\n"
		     "mov %[exit], %%eax\n"
		     "syscall\n"
		     "hlt\n"
		     "1:\n"
		     : "+a" (ret)
		     : "D" (args), "S" (sizeof(*args)), "r" (r8), "r" (r9),
		       [exit] "i" (SYS_exit)
		     : "rcx", "r11", "memory");
	return ret < 0 ? -1 : ret;
#else
	return -1;
#endif
}

/* A child that runs fn(arg), raw system calls only, in the caller's memory */
static pid_t vm_child(enum kw_kind kind, __u64 flags, int (*fn)(void *),
		      void *arg)
{
	char *stack = kw_stacks(1);
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_AUTOREAP | flags,
		.stack = (unsigned long)stack,
		.stack_size = KW_STACK,
	};

	if (kind == KW_AUTOREAP)
		return clone3_vm(&args, fn, arg);
	if (kind == KW_DETACHED)
		flags |= CLONE_DETACHED;
	return clone(fn, stack + KW_STACK, CLONE_VM | SIGCHLD | flags, arg);
}

static bool can_vm(enum kw_kind kind)
{
#ifdef __x86_64__
	return true;
#else
	return kind != KW_AUTOREAP;
#endif
}

struct neighbour {
	volatile int here;
	int go[2];
};

static int neighbour_life(void *arg)
{
	struct neighbour *n = arg;
	char c;

	n->here = 1;
	syscall(SYS_read, n->go[0], &c, 1);
	syscall(SYS_exit_group, KW_CODE);
	return 0;
}

TEST_F(child, vm)
{
	struct neighbour n = {};
	pid_t pid;

	if (!can_vm(variant->kind))
		SKIP(return, "clone3() with a stack is written for x86-64");
	kw_hold_sigchld();
	ASSERT_EQ(0, pipe(n.go));
	pid = vm_child(variant->kind, 0, neighbour_life, &n);
	ASSERT_LT(0, pid);
	EXPECT_TRUE(kw_until(n.here));
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG | __WALL));
	ASSERT_TRUE(kw_let_die(n.go[1]));
	EXPECT_TRUE(kw_ends_with(variant->kind, pid, KW_EXITED));
}

static int exec_sh(void *arg)
{
	static char * const argv[] = { "sh", "-c", "exit 7", NULL };

	*(volatile int *)arg = 1;
	syscall(SYS_execve, "/bin/sh", argv, NULL);
	syscall(SYS_exit_group, 1);
	return 0;
}

/* What posix_spawn() does */
TEST_F(child, vm_vfork_exec)
{
	volatile int here = 0;
	pid_t pid;

	if (!can_vm(variant->kind))
		SKIP(return, "clone3() with a stack is written for x86-64");
	kw_hold_sigchld();
	pid = vm_child(variant->kind, CLONE_VFORK, exec_sh, (void *)&here);
	ASSERT_LT(0, pid);
	EXPECT_EQ(1, here);
	EXPECT_TRUE(kw_ends_with(variant->kind, pid, KW_EXITED));
}

/*
 * A child of kind creator creates a sibling by fn(kind), which exits with
 * KW_CODE. Return: the sibling's pid, or -errno.
 */
static pid_t created_by(enum kw_kind creator, pid_t (*fn)(enum kw_kind),
			enum kw_kind kind)
{
	pid_t pid, sibling = -EIO;
	int report[2], status;

	if (pipe(report))
		return -EIO;
	pid = kw_child(creator, 0);
	if (!pid) {
		sibling = fn(kind);
		if (!sibling)
			_exit(KW_CODE);
		if (sibling < 0)
			sibling = -errno;
		_exit(write(report[1], &sibling, sizeof(sibling)) < 0);
	}
	close(report[1]);
	if (pid < 0 ||
	    read(report[0], &sibling, sizeof(sibling)) != sizeof(sibling) ||
	    !kw_ends(creator, pid, &status))
		return -EIO;
	return sibling;
}

static pid_t sibling(enum kw_kind kind)
{
	return kind == KW_ORDINARY ? kw_fork(CLONE_PARENT) :
	       kw_child(kind, CLONE_PARENT);
}

/* A sibling is created as detached as a child would be. */
TEST_F(child, parent)
{
	int status = KW_EXITED;
	pid_t pid = created_by(KW_ORDINARY, sibling, variant->kind);

	if (variant->kind == KW_AUTOREAP) {
		EXPECT_EQ(-EINVAL, pid);
		return;
	}
	ASSERT_LT(0, pid);
	EXPECT_TRUE(kw_ends(variant->kind, pid, &status));
	EXPECT_EQ(KW_EXITED, status);
}

static pid_t ordinary_sibling(enum kw_kind kind)
{
	/* The exit signal is the caller's and may not be asked for. */
	struct clone_args args = { .flags = CLONE_PARENT };

	return kw_clone3(&args);
}

/* Its own siblings are ordinary, if it may have any. */
TEST_F(child, parent_of_creator)
{
	pid_t pid = created_by(variant->kind, ordinary_sibling, variant->kind);
	int status;

	if (variant->kind != KW_ORDINARY) {
		EXPECT_EQ(-EINVAL, pid);
		return;
	}
	ASSERT_LT(0, pid);
	EXPECT_TRUE(kw_ends(KW_ORDINARY, pid, &status));
	EXPECT_EQ(KW_EXITED, status);
}

/* The init of a pid namespace takes all others with it. */
TEST_F(child, newpid)
{
	volatile int *word = shared_word();
	int life[2];
	pid_t pid;
	char c;

	ASSERT_NE(NULL, word);
	ASSERT_EQ(0, pipe(life));
	kw_hold_sigchld();
	pid = kw_child(variant->kind, CLONE_NEWPID);
	ASSERT_LE(0, pid);
	if (!pid) {
		*word = getpid();
		if (!fork())
			pause();
		_exit(KW_CODE);
	}
	EXPECT_TRUE(kw_ends_with(variant->kind, pid, KW_EXITED));
	EXPECT_EQ(1, *word);
	close(life[1]);
	EXPECT_EQ(0, read(life[0], &c, 1));
}

/* An init that has had a child of a kind, and dies while it has another */
static int init_life(enum kw_kind kind)
{
	int status = KW_EXITED, die;
	pid_t pid;

	/* kw_ends() looks into the /proc of its own namespace */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		return 1;
	pid = kw_child_until(kind, 0, &die);
	if (pid < 0 || !kw_let_die(die) || !kw_ends(kind, pid, &status) ||
	    status != KW_EXITED || kw_child_until(kind, 0, &die) < 0)
		return 2;
	return KW_CODE;
}

/* ... and must not wait in vain for who is detached. */
TEST_F(child, in_newpid)
{
	pid_t pid;

	kw_hold_sigchld();
	pid = kw_child(KW_ORDINARY, CLONE_NEWPID | CLONE_NEWNS);
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(init_life(variant->kind));
	EXPECT_TRUE(kw_ends_with(KW_ORDINARY, pid, KW_EXITED));
}

TEST_F(child, newuser)
{
	volatile int *word = shared_word();
	pid_t pid;

	ASSERT_NE(NULL, word);
	kw_hold_sigchld();
	pid = kw_child(variant->kind, CLONE_NEWUSER);
	ASSERT_LE(0, pid);
	if (!pid) {
		*word = getuid();
		_exit(KW_CODE);
	}
	EXPECT_TRUE(kw_ends_with(variant->kind, pid, KW_EXITED));
	EXPECT_EQ(OVERFLOW_UID, *word);
}

/* As kw_child_until(); clone() has no such flag, so that one is moved */
static pid_t cgroup_child(enum kw_kind kind, int cgroup, int *die)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = kind == KW_ORDINARY ? SIGCHLD : 0,
		.cgroup = cgroup,
	};
	char num[16], c;
	int go[2];
	pid_t pid;

	if (kind == KW_DETACHED)
		args.flags |= CLONE_DETACHED;
	if (kind == KW_AUTOREAP)
		args.flags |= CLONE_AUTOREAP;
	if (pipe(go))
		return -1;
	pid = kw_clone3(&args);
	if (!pid) {
		close(go[1]);
		_exit(read(go[0], &c, 1) < 0 ? 1 : KW_CODE);
	}
	*die = go[1];
	if (kind != KW_DETACHED)
		return pid;

	if (pid != -1 || errno != EINVAL)
		return -1;
	pid = kw_child_until(kind, 0, die);
	snprintf(num, sizeof(num), "%d", pid);
	return kw_write(CGROUP "/cgroup.procs", num) ? -1 : pid;
}

/* A cgroup is empty when its last process is dead, waited for or not. */
TEST_F(child, into_cgroup)
{
	int die, cgroup;
	pid_t pid;

	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK))
		SKIP(return, "no cgroup2");
	ASSERT_EQ(0, mkdir(CGROUP, 0755));
	cgroup = open(CGROUP, O_RDONLY | O_DIRECTORY);
	kw_hold_sigchld();
	pid = cgroup_child(variant->kind, cgroup, &die);
	close(cgroup);
	EXPECT_LT(0, pid);
	if (pid > 0) {
		EXPECT_EQ(pid, atoi(kw_read(CGROUP "/cgroup.procs")));
		EXPECT_EQ(-1, rmdir(CGROUP));
		EXPECT_EQ(EBUSY, errno);
		EXPECT_TRUE(kw_let_die(die));
		EXPECT_TRUE(kw_ends_with(variant->kind, pid, KW_EXITED));
	}
	/* The kernel lets go of it some time after wait4() has returned. */
	EXPECT_TRUE(kw_until(!rmdir(CGROUP)));
}

/* Also ends the PR_SET_PDEATHSIG that kw_helper() set: do it again. */
static bool become(uid_t uid)
{
	return !setresuid(uid, uid, uid) &&
	       !prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() != 1;
}

/* fn(kind) in a process whose user is its own affair */
static bool in_helper(bool (*fn)(enum kw_kind), enum kw_kind kind)
{
	int status;
	pid_t pid = kw_helper();

	if (!pid) {
		kw_hold_sigchld();
		_exit(!fn(kind));
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

/* The image that SETUID is, when it is executed by someone else than root */
static void __attribute__((constructor)) setuid_image(void)
{
	if (geteuid() != getuid())
		_exit(geteuid() || write(1, "#", 1) != 1 ? 1 : KW_CODE);
}

static bool make_setuid_image(void)
{
	int from = open("/proc/self/exe", O_RDONLY);
	int to = open(SETUID, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t n;

	while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	n = n ?: fchmod(to, 04755);
	close(from);
	close(to);
	return n == 0;
}

static bool runs_setuid_image(enum kw_kind kind)
{
	int report[2];
	char c = 0;
	pid_t pid;

	if (!become(USER) || pipe(report))
		return false;
	pid = kw_child(kind, 0);
	if (!pid) {
		dup2(report[1], 1);
		execl(SETUID, SETUID, NULL);
		_exit(1);
	}
	close(report[1]);
	return read(report[0], &c, 1) == 1 && c == '#' &&
	       kw_ends_with(kind, pid, KW_EXITED);
}

/* A child that has become root is no less its parent's. */
TEST_F(child, setuid_exec)
{
	ASSERT_TRUE(make_setuid_image());
	EXPECT_TRUE(in_helper(runs_setuid_image, variant->kind));
	unlink(SETUID);
}

TEST_F(child, setuid)
{
	pid_t pid;

	kw_hold_sigchld();
	pid = kw_child(variant->kind, 0);
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(setuid(USER) ? 1 : KW_CODE);
	EXPECT_TRUE(kw_ends_with(variant->kind, pid, KW_EXITED));
}

static bool is_a_strangers_parent(enum kw_kind kind)
{
	volatile int *word = shared_word();
	pid_t pid;

	pid = word ? kw_child(kind, 0) : -1;
	if (!pid) {
		if (!become(OTHER_USER) || !kw_until(*word))
			_exit(1);
		_exit(KW_CODE);
	}
	if (pid < 0 || !become(USER) ||
	    !kw_until(kill(pid, 0) == -1 && errno == EPERM))
		return false;
	*word = 1;
	return kw_ends_with(kind, pid, KW_EXITED);
}

/* Two users, and neither may so much as signal the other. */
TEST_F(child, other_user)
{
	EXPECT_TRUE(in_helper(is_a_strangers_parent, variant->kind));
}

static bool refused(enum kw_kind kind)
{
	pid_t pid = kw_child(kind, 0);

	if (!pid)
		_exit(1);
	return pid == -1 && errno == EAGAIN;
}

static bool is_refused_no_more(enum kw_kind kind)
{
	const struct rlimit limit = { 3, 3 };
	int die[3] = {};
	pid_t pid[3];

	if (setrlimit(RLIMIT_NPROC, &limit) || !become(LIMITED_USER + kind))
		return false;
	pid[0] = kw_child_until(kind, 0, &die[0]);
	pid[1] = kw_child_until(kind, 0, &die[1]);
	if (pid[0] < 0 || pid[1] < 0 || !refused(kind) || !kw_let_die(die[0]))
		return false;
	/* A zombie counts. */
	if (kind == KW_ORDINARY &&
	    (!kw_until(kw_proc_state(pid[0]) == 'Z') || !refused(kind)))
		return false;
	if (!kw_ends_with(kind, pid[0], KW_EXITED))
		return false;
	pid[2] = kw_child_until(kind, 0, &die[2]);
	return pid[2] > 0 && kw_let_die(die[1]) && kw_let_die(die[2]) &&
	       kw_ends_with(kind, pid[1], KW_EXITED) &&
	       kw_ends_with(kind, pid[2], KW_EXITED);
}

TEST_F(child, nproc_is_given_back)
{
	EXPECT_TRUE(in_helper(is_refused_no_more, variant->kind));
}

#ifdef __x86_64__
/* A system call of the 32-bit ABI, which 64-bit code can make, too */
static long ia32(long nr, unsigned long arg1, unsigned long arg2)
{
	long ret = nr;

	asm volatile("int $0x80"
		     : "+a" (ret)
		     : "b" (arg1), "c" (arg2), "d" (0), "S" (0), "D" (0)
		     : "r8", "r9", "r10", "r11", "memory");
	return (int)ret;
}
#else
static long ia32(long nr, unsigned long arg1, unsigned long arg2)
{
	raise(SIGSEGV);
	return -1;
}
#endif

#define IA32_GETPID 20
#define IA32_CLONE 120
#define IA32_CLONE3 435

/* Without the emulation it is a SIGSEGV. */
static bool has_ia32(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(ia32(IA32_GETPID, 0, 0) != getpid());
	return waitpid(pid, &status, 0) == pid && !status;
}

static pid_t ia32_child(enum kw_kind kind)
{
	struct clone_args *args;

	if (kind != KW_AUTOREAP)
		return ia32(IA32_CLONE, SIGCHLD |
			    (kind == KW_DETACHED ? CLONE_DETACHED : 0), 0);
	args = mmap(NULL, sizeof(*args), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (args == MAP_FAILED)
		return -1;
	args->flags = CLONE_AUTOREAP;
	return ia32(IA32_CLONE3, (unsigned long)args, sizeof(*args));
}

TEST_F(child, ia32)
{
	pid_t pid;

	if (!has_ia32())
		SKIP(return, "no 32-bit system calls");
	kw_hold_sigchld();
	pid = ia32_child(variant->kind);
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(KW_CODE);
	EXPECT_TRUE(kw_ends_with(variant->kind, pid, KW_EXITED));
}

TEST_HARNESS_MAIN
