// SPDX-License-Identifier: GPL-2.0
/*
 * Ordinary children and threads behave as if there was no kwaitd: statuses, signals,
 * usage, and automatic reaping by SIG_IGN and SA_NOCLDWAIT. The same tests pass without
 * the module.
 *
 * If this fails, programs that know nothing of kwaitd break when the module is loaded.
 */
#include "lib/clone.h"
#include "lib/harness.h"
#include "lib/patience.h"
#include "lib/proc.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static siginfo_t last;
static volatile sig_atomic_t signals;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	last = *info;
	signals++;
}

static void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO | SA_RESTART | flags };

	signals = 0;
	sigaction(sig, &sa, NULL);
}

TEST(exit_statuses)
{
	int code, status;
	pid_t pid;

	for (code = 0; code < 256; code++) {
		pid = fork();
		if (!pid)
			_exit(code);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(code, WEXITSTATUS(status));
		EXPECT_EQ(-1, waitpid(pid, &status, 0));
		EXPECT_EQ(ECHILD, errno);
	}
}

TEST(killed)
{
	static const int sigs[] = { SIGKILL, SIGTERM, SIGSEGV, SIGUSR1 };
	unsigned int i;
	int status;
	pid_t pid;

	for (i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		pid = fork();
		if (!pid) {
			signal(sigs[i], SIG_DFL);
			for (;;)
				pause();
		}
		kill(pid, sigs[i]);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(sigs[i], WTERMSIG(status));
	}
}

TEST(zombie_waits)
{
	siginfo_t info = {};
	pid_t pid = fork();

	if (!pid)
		_exit(9);
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(CLD_EXITED, info.si_code);
	EXPECT_EQ(9, info.si_status);
	EXPECT_EQ('Z', kw_proc_state(pid));
	EXPECT_EQ(0, kill(pid, 0));
	EXPECT_EQ(pid, waitpid(pid, NULL, WNOHANG));
	EXPECT_EQ(-1, kill(pid, 0));
}

TEST(sigchld)
{
	pid_t pid;

	handle(SIGCHLD, 0);
	pid = fork();
	if (!pid)
		_exit(42);
	EXPECT_TRUE(kw_until(signals == 1));
	EXPECT_EQ(pid, last.si_pid);
	EXPECT_EQ(getuid(), last.si_uid);
	EXPECT_EQ(CLD_EXITED, last.si_code);
	EXPECT_EQ(42, last.si_status);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));

	handle(SIGCHLD, 0);
	pid = fork();
	if (!pid) {
		raise(SIGSTOP);
		_exit(0);
	}
	EXPECT_TRUE(kw_until(signals == 1));
	EXPECT_EQ(CLD_STOPPED, last.si_code);
	kill(pid, SIGCONT);
	EXPECT_TRUE(kw_until(signals >= 2));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
}

TEST(other_exit_signal)
{
	pid_t pid;

	handle(SIGUSR2, 0);
	pid = kw_fork(SIGUSR2);
	if (!pid)
		_exit(1);
	EXPECT_TRUE(kw_until(signals == 1));
	EXPECT_EQ(pid, last.si_pid);
	EXPECT_EQ(-1, waitpid(pid, NULL, 0));
	EXPECT_EQ(ECHILD, errno);
	EXPECT_EQ(pid, waitpid(pid, NULL, __WCLONE));
}

TEST(no_exit_signal)
{
	pid_t pid = kw_fork(0);

	if (!pid)
		_exit(1);
	EXPECT_TRUE(kw_until(kw_proc_state(pid) == 'Z'));
	EXPECT_EQ(pid, waitpid(pid, NULL, __WALL));
}

TEST(ignored)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (!pid)
		_exit(1);
	EXPECT_EQ(-1, waitpid(pid, NULL, 0));
	EXPECT_EQ(ECHILD, errno);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
}

TEST(nocldwait)
{
	pid_t pid;

	handle(SIGCHLD, SA_NOCLDWAIT);
	pid = fork();
	if (!pid)
		_exit(1);
	EXPECT_EQ(-1, waitpid(pid, NULL, 0));
	EXPECT_EQ(ECHILD, errno);
	EXPECT_TRUE(kw_until(kw_gone(pid)));
	/* Linux sends it all the same */
	EXPECT_TRUE(kw_until(signals == 1));
}

static double seconds(const struct rusage *usage)
{
	return usage->ru_utime.tv_sec + usage->ru_stime.tv_sec +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

/* Has the second of a child's been counted once, within half of it? */
static bool counted_once(void)
{
	struct rusage before, usage, after;
	pid_t pid;

	getrusage(RUSAGE_CHILDREN, &before);
	pid = fork();
	if (!pid) {
		while (clock() < CLOCKS_PER_SEC)
			;
		_exit(0);
	}
	if (wait4(pid, NULL, 0, &usage) != pid)
		return false;
	getrusage(RUSAGE_CHILDREN, &after);
	return seconds(&usage) > 0.9 &&
	       fabs(seconds(&after) - seconds(&before) - seconds(&usage)) < 0.5;
}

/*
 * Once, and not twice. The kernel adds it up twice, with the child perhaps still
 * leaving its CPU, which may take long on a machine that is busy.
 */
TEST(usage)
{
	EXPECT_TRUE(kw_until(counted_once()));
}

static void *thread(void *arg)
{
	return arg;
}

TEST(threads)
{
	pthread_t t[8];
	void *ret;
	long i, round;

	for (round = 0; round < 50; round++) {
		for (i = 0; i < 8; i++)
			ASSERT_EQ(0, pthread_create(&t[i], NULL, thread, (void *)i));
		for (i = 0; i < 8; i++) {
			ASSERT_EQ(0, pthread_join(t[i], &ret));
			EXPECT_EQ((void *)i, ret);
		}
	}
	EXPECT_TRUE(kw_until(kw_proc_status(getpid(), "Threads") == 1));
}

/* The leader exits first: its parent hears of it after the last thread. */
static void *outlive(void *arg)
{
	kw_until(kw_proc_state(getpid()) == 'Z');
	_exit(17);
}

TEST(leader_first)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		pthread_t t;

		pthread_create(&t, NULL, outlive, NULL);
		syscall(SYS_exit, 1);
	}
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(17, WEXITSTATUS(status));
}

TEST_HARNESS_MAIN
