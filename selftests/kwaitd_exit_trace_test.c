// SPDX-License-Identifier: GPL-2.0
/*
 * A reaper is adopted while one of its own children is in EXIT_TRACE: neither alive, nor a
 * zombie, nor traced. A thread of its tracer has taken the dead child in wait4(), the
 * thread that traced it has exited, and the child's parent has not been told yet.
 * kwaitd_slow.ko makes this moment last.
 *
 * If this fails, the parent does not learn that its child has died, and the exit status is
 * lost.
 */
#include "lib/clone.h"
#include "lib/ctl.h"
#include "lib/file.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/reaper.h"
#include "lib/reaper_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define PARAMS "/sys/module/kwaitd_slow/parameters/"

FIXTURE_VARIANT(reaper) {
	bool adopted;
};

FIXTURE_VARIANT_ADD(reaper, stock) { .adopted = false };
FIXTURE_VARIANT_ADD(reaper, adopted) { .adopted = true };

static int load_slow(void)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/kwaitd_slow.ko", getenv("KWAITD_MODULES"));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return ret;
}

struct tracer {
	pid_t pid;	/* of who is traced */
	bool seized;
	int gone[2];
};

static void *trace(void *arg)
{
	struct tracer *t = arg;
	char c;

	if (ptrace(PTRACE_SEIZE, t->pid, 0, 0))
		_exit(1);
	__atomic_store_n(&t->seized, true, __ATOMIC_RELEASE);
	return (void *)read(t->gone[0], &c, 1);
}

/* One thread traces, the other waits for who is traced. */
static void trace_and_wait(struct tracer *t)
{
	struct rusage usage;
	pthread_t thread;
	int status;

	if (pthread_create(&thread, NULL, trace, t) ||
	    !kw_until(__atomic_load_n(&t->seized, __ATOMIC_ACQUIRE)))
		_exit(1);
	prctl(PR_SET_NAME, "kw-slow");
	_exit(wait4(t->pid, &status, __WALL, &usage) == t->pid &&
	      status == SIGKILL ? KW_CODE : 1);
}

TEST_F(reaper, tracer_goes)
{
	long own = kw_tell(&self->r, KW_CHILD, KW_BY_FORK);
	struct tracer t = { .pid = kw_child_of(self->r.pid) };
	struct kw_answer a;
	pid_t tracer;
	int status;

	if (!getenv("KWAITD_MODULES"))
		SKIP(return, "no module to load");
	ASSERT_GT(t.pid, 0);
	/* It is still there if this failed before. */
	syscall(SYS_delete_module, "kwaitd_slow", O_NONBLOCK);
	ASSERT_EQ(0, load_slow());
	ASSERT_EQ(0, pipe(t.gone));
	tracer = kw_helper();
	if (!tracer)
		trace_and_wait(&t);
	ASSERT_TRUE(kw_until(kw_is_in(tracer, SYS_wait4)));
	ASSERT_EQ(0, kw_tell2(&self->r, KW_KILL, own, SIGKILL).ret);
	ASSERT_TRUE(kw_until(!strcmp(kw_read(PARAMS "stopped"), "Y")));
	ASSERT_EQ(1, write(t.gone[1], "", 1));
	ASSERT_TRUE(kw_until(kw_proc_status(tracer, "Threads") == 1));

	if (variant->adopted)
		ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_EQ(0, kw_write(PARAMS "go", "1"));
	ASSERT_EQ(tracer, waitpid(tracer, &status, 0));
	EXPECT_EQ(KW_EXITED, status);
	a = kw_tell2(&self->r, KW_WAIT, own, 0);
	EXPECT_EQ(own, a.ret);
	EXPECT_EQ(SIGKILL, a.status);
	EXPECT_EQ(0, syscall(SYS_delete_module, "kwaitd_slow", O_NONBLOCK));
}

TEST_HARNESS_MAIN
