// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation that loading the module makes fails once: the first, the second,
 * until there is none left that could. A load that fails leaves nothing behind;
 * one that does not can do all that it promises.
 *
 * Without this a machine short of memory gets a module that is there by half. Needs
 * a kernel with CONFIG_FAULT_INJECTION; KWAITD_KO names the module's file, and
 * KWAITD_FAULT_STEP makes only each so-manyth allocation fail.
 */
#include "kwaitd_reaper.h"

#define FAIL_NTH "/proc/thread-self/fail-nth"

/* Return: errno of the load; *left: 0 if an allocation failed */
static int load_failing(unsigned int nth, int *left)
{
	int ko = open(getenv("KWAITD_KO"), O_RDONLY | O_CLOEXEC);
	int fail = open(FAIL_NTH, O_RDWR | O_CLOEXEC), err = 0;
	char num[16];
	ssize_t n;

	snprintf(num, sizeof(num), "%u", nth);
	if (pwrite(fail, num, strlen(num), 0) < 0)
		return -errno;
	if (syscall(SYS_finit_module, ko, "", 0))
		err = errno;
	n = pread(fail, num, sizeof(num) - 1, 0);
	num[n > 0 ? n : 0] = '\0';
	*left = atoi(num);
	pwrite(fail, "0", 1, 0);
	close(fail);
	close(ko);
	return err;
}

static bool nothing_left(void)
{
	pid_t pid;
	char name[32];
	int cpu;

	for (cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF); cpu++) {
		snprintf(name, sizeof(name), "kwaitd/%d", cpu);
		if (kw_named(name, &pid))
			return false;
	}
	return access("/dev/kwaitd", F_OK) && access("/sys/module/kwaitd", F_OK) &&
	       access(KW_DEBUGFS, F_OK);
}

/* A detached child ends as one. */
static bool works(void)
{
	pid_t pid = kw_child(KW_DETACHED, 0);
	int status;

	if (!pid)
		_exit(KW_CODE);
	return pid > 0 && kw_ends(KW_DETACHED, pid, &status);
}

TEST_F_TIMEOUT(kwaitd, each_allocation, 3600)
{
	unsigned int nth, failed = 0, step = 1;
	const char *every = getenv("KWAITD_FAULT_STEP");
	int err, left = 0;

	if (!getenv("KWAITD_KO") || access(FAIL_NTH, W_OK))
		SKIP(return, "no fault injection");
	if (every)
		step = atoi(every);
	kw_write("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	kw_write("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	ASSERT_TRUE(kw_until(kw_unload()));
	for (nth = 1;; nth += step) {
		err = load_failing(nth, &left);
		ASSERT_LE(0, err);
		if (err) {
			failed++;
			EXPECT_EQ(ENOMEM, err) TH_LOG("allocation %u", nth);
			EXPECT_TRUE(kw_until(nothing_left()));
			continue;
		}
		/* It did without. */
		EXPECT_TRUE(works()) TH_LOG("allocation %u", nth);
		if (left)
			break;
		ASSERT_TRUE(kw_until(kw_unload()));
	}
	TH_LOG("%u allocations, of which the load needs %u", nth - 1, failed);
	EXPECT_LT(10U, failed * step);
}

TEST_HARNESS_MAIN
