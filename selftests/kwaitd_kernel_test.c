// SPDX-License-Identifier: GPL-2.0
/*
 * kwaitd never takes kernel threads and io_uring's workers, which look like threads of the
 * process that they work for: whatever process that is, and whatever offload says.
 *
 * If this fails, a process outlives its workers or dies before them, or kwaitd has to
 * release itself.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/end.h"
#include "lib/file.h"
#include "lib/module.h"
#include "lib/patience.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define OPENS 3
#define FIFO "/tmp/kwaitd_kernel_fifo"
#define PRESSURE "/proc/pressure/memory"

/* How many tasks in a directory of them have a comm that begins so */
static int tasks_called(const char *path, const char *comm)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[128];
	int n = 0;

	while (dir && (entry = readdir(dir))) {
		snprintf(name, sizeof(name), "%.64s/%.16s/comm", path,
			 entry->d_name);
		n += !strncmp(kw_read(name), comm, strlen(comm));
	}
	if (dir)
		closedir(dir);
	return n;
}

static int workers_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	return tasks_called(path, "iou-");
}

static bool has_io_uring(void)
{
	struct io_uring_params p = {};
	int fd = syscall(SYS_io_uring_setup, OPENS, &p);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * Have OPENS workers open a FIFO that nobody else will, one after the other: with all at
 * once Linux 7.3 may forget to create the last (create_worker_cb() leaves the running
 * without a look at what is left to do). Return: whether they are there. The ring stays
 * open.
 */
static bool use_io_uring(unsigned int flags)
{
	unsigned int sqpoll = flags & IORING_SETUP_SQPOLL ? 1 : 0;
	struct io_uring_params p = { .flags = flags };
	int fd = syscall(SYS_io_uring_setup, OPENS, &p);
	struct io_uring_sqe *sqes;
	unsigned int i, *array;
	char *ring;

	if (fd < 0)
		return false;
	ring = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(*array),
		    PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	sqes = mmap(NULL, p.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, IORING_OFF_SQES);
	if (ring == MAP_FAILED || sqes == MAP_FAILED)
		return false;
	array = (void *)(ring + p.sq_off.array);
	for (i = 0; i < OPENS; i++) {
		sqes[i] = (struct io_uring_sqe) {
			.opcode = IORING_OP_OPENAT,
			.flags = IOSQE_ASYNC,
			.fd = AT_FDCWD,
			.addr = (unsigned long)FIFO,
			.open_flags = O_RDONLY,
		};
		array[i] = i;
		__atomic_store_n((unsigned int *)(ring + p.sq_off.tail), i + 1,
				 __ATOMIC_RELEASE);
		if (syscall(SYS_io_uring_enter, fd, 1, 0,
			    sqpoll ? IORING_ENTER_SQ_WAKEUP : 0, NULL, 0) != 1 ||
		    !kw_until(workers_of(getpid()) > (int)(i + sqpoll)))
			return false;
	}
	return true;
}

enum end { EXITS, KILLED, EXECS };

/* Return: the child's pid, once all its workers are there */
static pid_t child_with_workers(enum kw_kind kind, unsigned int flags,
				enum end end, int *die)
{
	int go[2], workers = OPENS + !!(flags & IORING_SETUP_SQPOLL);
	pid_t pid;
	char c;

	unlink(FIFO);
	if (mkfifo(FIFO, 0600) || pipe2(go, O_CLOEXEC))
		return -1;
	pid = kw_child(kind, 0);
	if (!pid) {
		close(go[1]);
		if (!use_io_uring(flags) || read(go[0], &c, 1) < 0)
			_exit(1);
		if (end == EXECS)
			execl("/bin/sh", "sh", "-c", "exit 7", NULL);
		_exit(KW_CODE);
	}
	close(go[0]);
	*die = go[1];
	return kw_until(workers_of(pid) >= workers) ? pid : -1;
}

/*
 * Have kwaitd take all it can, and count. Without it there is nothing to tell,
 * and the counts stay what they are.
 */
struct counts {
	long queued, inlined;
};

static struct counts counts_start(void)
{
	kw_write(KW_PARAMS "offload", "all");
	return (struct counts) { kw_stat("queued_threads"), kw_inline() };
}

/* Were so many released by themselves since, and nobody by kwaitd? */
static bool counts_end(const struct counts *start, int workers)
{
	bool ok = kw_stat("queued_threads") == start->queued &&
		  (!kw_loaded() || kw_inline() >= start->inlined + workers);

	kw_write(KW_PARAMS "offload", "detached");
	unlink(FIFO);
	return ok;
}

static bool ends_with_workers(enum kw_kind kind, unsigned int flags,
			      enum end end)
{
	int die, status = end == KILLED ? W_EXITCODE(0, SIGKILL) : KW_EXITED;
	struct counts start;
	pid_t pid;

	start = counts_start();
	kw_hold_sigchld();
	pid = child_with_workers(kind, flags, end, &die);
	if (pid < 0 || (end == KILLED ? kill(pid, SIGKILL) : !kw_let_die(die)))
		return false;
	return kw_ends_with(kind, pid, status) && counts_end(&start, OPENS);
}

TEST_F(child, io_uring_exits)
{
	if (!has_io_uring())
		SKIP(return, "no io_uring");
	EXPECT_TRUE(ends_with_workers(variant->kind, 0, EXITS));
}

TEST_F(child, io_uring_killed)
{
	if (!has_io_uring())
		SKIP(return, "no io_uring");
	EXPECT_TRUE(ends_with_workers(variant->kind, 0, KILLED));
}

/* execve() ends the workers, and the process lives. */
TEST_F(child, io_uring_execs)
{
	if (!has_io_uring())
		SKIP(return, "no io_uring");
	EXPECT_TRUE(ends_with_workers(variant->kind, 0, EXECS));
}

/* With a thread that submits, and whose the workers are */
TEST_F(child, sqpoll_exits)
{
	if (!has_io_uring())
		SKIP(return, "no io_uring");
	EXPECT_TRUE(ends_with_workers(variant->kind, IORING_SETUP_SQPOLL,
				      EXITS));
}

TEST_F(child, sqpoll_killed)
{
	if (!has_io_uring())
		SKIP(return, "no io_uring");
	EXPECT_TRUE(ends_with_workers(variant->kind, IORING_SETUP_SQPOLL,
				      KILLED));
}

/*
 * Without work all workers but one go, after some seconds, and nobody dies. All kinds of
 * children at once, since it is the kernel that has the seconds.
 */
TEST(io_uring_idle)
{
	static const enum kw_kind kinds[] = { KW_ORDINARY, KW_DETACHED, KW_AUTOREAP };
	struct {
		enum kw_kind kind;
		pid_t pid;
		int die, fifo;
	} child[ARRAY_SIZE(kinds)], *c;
	unsigned int i, n = 0;
	struct counts start;

	if (!has_io_uring())
		SKIP(return, "no io_uring");
	start = counts_start();
	kw_hold_sigchld();
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!kw_kind_possible(kinds[i]))
			continue;
		c = &child[n++];
		c->kind = kinds[i];
		c->pid = child_with_workers(c->kind, 0, EXITS, &c->die);
		ASSERT_LT(0, c->pid);
		c->fifo = open(FIFO, O_WRONLY | O_NONBLOCK);
		EXPECT_LE(0, c->fifo);
	}
	for (c = child; c < child + n; c++)
		EXPECT_TRUE(kw_until(workers_of(c->pid) == 1));
	EXPECT_TRUE(counts_end(&start, n * (OPENS - 1)));
	for (c = child; c < child + n; c++) {
		close(c->fifo);
		ASSERT_TRUE(kw_let_die(c->die));
		EXPECT_TRUE(kw_ends_with(c->kind, c->pid, KW_EXITED));
		EXPECT_EQ(c->kind == KW_ORDINARY, kw_took_sigchld());
	}
}

/* A memory pressure trigger has a kernel thread, psimon, as long as it is open. */
static int open_trigger(void)
{
	static const char trigger[] = "some 150000 1000000";
	int fd = open(PRESSURE, O_RDWR);

	return fd < 0 || write(fd, trigger, sizeof(trigger)) < 0 ? -1 : fd;
}

TEST_F(child, kernel_thread)
{
	long queued, kernel;
	int die, fd = open_trigger();
	pid_t pid;

	if (fd < 0)
		SKIP(return, "no pressure stall information");
	kw_write(KW_PARAMS "offload", "all");
	queued = kw_stat("queued_processes");
	kernel = kw_stat("inline_kernel");
	kw_hold_sigchld();
	pid = kw_child_until(variant->kind, 0, &die);
	ASSERT_LT(0, pid);
	/* It is the child's now, and ends with it. */
	close(fd);
	EXPECT_TRUE(kw_until(tasks_called("/proc", "psimon") == 1));
	ASSERT_TRUE(kw_let_die(die));
	EXPECT_TRUE(kw_ends_with(variant->kind, pid, KW_EXITED));
	EXPECT_TRUE(kw_until(tasks_called("/proc", "psimon") == 0));
	kw_write(KW_PARAMS "offload", "detached");
	if (!self->loaded)
		return;
	EXPECT_LT(kernel, kw_stat("inline_kernel"));
	EXPECT_EQ(queued + (variant->kind != KW_ORDINARY),
		  kw_stat("queued_processes"));
}

TEST_HARNESS_MAIN
