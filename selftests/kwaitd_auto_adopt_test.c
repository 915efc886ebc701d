// SPDX-License-Identifier: GPL-2.0
/*
 * auto_adopt: inits of new pid namespaces are adopted from birth, those that the
 * parameter names and no others.
 *
 * If this fails, machines fill up with zombies although auto_adopt is set, or containers
 * are adopted whose init needs its orphans.
 */
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/ctl.h"
#include "lib/file.h"
#include "lib/patience.h"
#include "lib/reaper.h"
#include "lib/reaper_fixture.h"
#include "lib/tasks.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#define CGROUP "/sys/fs/cgroup/kwaitd_test"

/* Is the init of a new pid namespace adopted, with these flags and from birth? */
static bool adopted(unsigned long flags)
{
	struct kwaitd_reaper info = {};
	struct kw_reaper r;
	bool listed, gone;

	if (!kw_reaper_start(&r, CLONE_NEWPID | flags, NULL))
		return false;
	listed = kw_listed(r.pid, &info);
	if (listed && info.flags != (KWAITD_REAPER_INIT | KWAITD_REAPER_AUTO))
		listed = false;
	kw_tell(&r, KW_ORPHANS, 10);
	gone = kw_until(kw_zombies_of(r.pid) == (listed ? 0 : 10) && kw_at_rest());
	kw_reaper_stop(&r);
	return listed && gone;
}

static bool join(const char *cgroup)
{
	char path[128], pid[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	snprintf(pid, sizeof(pid), "%d", getpid());
	return !kw_write(path, pid);
}

TEST_F(reaper, off)
{
	EXPECT_FALSE(adopted(0));
	EXPECT_STREQ("off", kw_read(KW_PARAMS "auto_adopt"));
}

TEST_F(reaper, cgroup)
{
	mkdir(CGROUP, 0755);
	mkdir(CGROUP "/below", 0755);
	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "cgroup:/kwaitd_test"));
	EXPECT_STREQ("cgroup:/kwaitd_test", kw_read(KW_PARAMS "auto_adopt"));
	EXPECT_FALSE(adopted(0));
	ASSERT_TRUE(join(CGROUP));
	EXPECT_TRUE(adopted(0));
	ASSERT_TRUE(join(CGROUP "/below"));
	EXPECT_TRUE(adopted(0));
	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "off"));
	EXPECT_FALSE(adopted(0));
	/* all of them */
	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "cgroup:/\n"));
	EXPECT_TRUE(adopted(0));
	ASSERT_TRUE(join("/sys/fs/cgroup"));
	EXPECT_TRUE(adopted(0));
	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "off"));
	EXPECT_EQ(0, rmdir(CGROUP "/below"));
	EXPECT_EQ(0, rmdir(CGROUP));
}

/* The policy comes first, at boot say, and the cgroups come and go. */
TEST_F(reaper, cgroup_made_later)
{
	int i;

	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "cgroup:/kwaitd_test/below/"));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, mkdir(CGROUP, 0755));
		ASSERT_EQ(0, mkdir(CGROUP "/below", 0755));
		ASSERT_EQ(0, mkdir(CGROUP "/below2", 0755));
		ASSERT_TRUE(join(CGROUP "/below"));
		EXPECT_TRUE(adopted(0));
		ASSERT_TRUE(join(CGROUP "/below2"));
		EXPECT_FALSE(adopted(0));
		ASSERT_TRUE(join(CGROUP));
		EXPECT_FALSE(adopted(0));
		ASSERT_TRUE(join("/sys/fs/cgroup"));
		ASSERT_EQ(0, rmdir(CGROUP "/below2"));
		ASSERT_EQ(0, rmdir(CGROUP "/below"));
		ASSERT_EQ(0, rmdir(CGROUP));
	}
	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "off"));
}

/* By the cgroup that it is born in, where clone3() says another than its parent's */
TEST_F(reaper, into_cgroup)
{
	struct clone_args args = {
		.flags = CLONE_NEWPID | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
	};
	struct kwaitd_reaper info;
	pid_t pid;
	int fd;

	mkdir(CGROUP, 0755);
	fd = open(CGROUP, O_RDONLY | O_DIRECTORY);
	ASSERT_GE(fd, 0);
	args.cgroup = fd;
	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "cgroup:/kwaitd_test"));
	pid = kw_clone3(&args);
	if (!pid) {
		pause();
		_exit(0);
	}
	ASSERT_GT(pid, 0);
	EXPECT_TRUE(kw_listed(pid, &info));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "off"));
	EXPECT_EQ(0, rmdir(CGROUP));
}

TEST_F(reaper, userns)
{
	char link[64] = "", policy[64];
	unsigned int number;

	ASSERT_GT(readlink("/proc/self/ns/user", link, sizeof(link) - 1), 0);
	ASSERT_EQ(0, strncmp(link, "user:[", 6));
	number = strtoul(link + 6, NULL, 10);
	snprintf(policy, sizeof(policy), "userns:%u", number);
	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", policy));
	EXPECT_TRUE(adopted(0));
	EXPECT_TRUE(adopted(CLONE_NEWUSER));
	snprintf(policy, sizeof(policy), "userns:%u", number + 1);
	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", policy));
	EXPECT_FALSE(adopted(0));
	EXPECT_FALSE(adopted(CLONE_NEWUSER));
}

/* A bad value changes nothing. */
TEST_F(reaper, bad_values)
{
	static const char * const bad[] = {
		"", "on", "offf", "cgroup:", "cgroup:kwaitd", "userns:", "userns:0",
		"userns:-1", "userns:1x", "userns:99999999999", "cgroup",
	};
	unsigned int i;

	ASSERT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "userns:1"));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_NE(0, kw_write(KW_PARAMS "auto_adopt", bad[i]) |
			     !*bad[i]);
		EXPECT_STREQ("userns:1", kw_read(KW_PARAMS "auto_adopt"));
	}
	EXPECT_EQ(EINVAL, kw_write(KW_PARAMS "grace_ms", "3600001"));
	EXPECT_EQ(EINVAL, kw_write(KW_PARAMS "grace_ms", "x"));
}

TEST_HARNESS_MAIN
