// SPDX-License-Identifier: GPL-2.0
/*
 * Nonsense for /dev/kwaitd, the parameters and debugfs: random commands, sizes,
 * descriptors, flags and addresses, also of memory that is not there, is there only in
 * part, or is not writable. A refusal says why and changes nothing. A user without
 * privileges gets nothing but refusals, in whatever namespace.
 *
 * If this fails, bad input crashes the machine or changes a setting, and maybe any user
 * can do that. KWAITD_SEED repeats a run, KWAITD_CALLS makes a longer one.
 */
#include "kwaitd_test.h"
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/ctl.h"
#include "lib/file.h"
#include "lib/reaper_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

#define NOBODY 65534
#define NOT_ALLOWED 99

static unsigned long rng;

static unsigned int rnd(unsigned int n)
{
	rng = rng * 6364136223846793005 + 1442695040888963407;
	return (rng >> 33) % n;
}

static long env(const char *name, long otherwise)
{
	const char *val = getenv(name);

	return val ? strtol(val, NULL, 0) : otherwise;
}

static void seed(struct __test_metadata *_metadata)
{
	rng = env("KWAITD_SEED", time(NULL) ^ getpid());
	TH_LOG("KWAITD_SEED=%ld", (long)rng);
}

/* Memory: 0 and 1 are good, 2 read-only, 3 is not there */
static struct {
	size_t page;
	char *pages;
} memory;

static bool memory_init(void)
{
	memory.page = sysconf(_SC_PAGESIZE);
	memory.pages = mmap(NULL, 4 * memory.page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory.pages != MAP_FAILED &&
	       !mprotect(memory.pages + 2 * memory.page, memory.page, PROT_READ) &&
	       !munmap(memory.pages + 3 * memory.page, memory.page);
}

static char *pick_address(void)
{
	static const unsigned long odd[] = {
		0, 1, 0x7ffffffff000, 0xffff888000000000, 0xffffffff81000000, -1UL,
	};

	switch (rnd(8)) {
	case 0:
		return (char *)odd[rnd(6)];
	case 1:
		return memory.pages + 2 * memory.page + rnd(memory.page);
	case 2:
		/* across the end of what may be written, or of what is there */
		return memory.pages + (2 + rnd(2)) * memory.page - rnd(64);
	default:
		return memory.pages + rnd(memory.page);
	}
}

struct fds {
	int reaper;		/* adopted, and not to be let go of */
	int other[5];
};

static void fds_init(struct fds *fds, pid_t reaper)
{
	pid_t dead = fork();

	if (!dead)
		_exit(0);
	fds->reaper = kw_pidfd(reaper);
	fds->other[0] = kw_pidfd(getpid());
	fds->other[1] = kw_pidfd(dead);
	fds->other[2] = open("/dev/null", O_RDWR);
	fds->other[3] = KWAITD_SELF;
	fds->other[4] = 0;
	waitpid(dead, NULL, 0);
}

static int pick_fd(const struct fds *fds, bool reaper)
{
	unsigned int i = rnd(8);

	if (i == 7 && reaper)
		return fds->reaper;
	if (i >= 5)
		return (int)rnd(1U << 31) - (1 << 30);
	return fds->other[i];
}

static const unsigned long cmds[] = {
	KWAITD_IOC_EXIT_INFO, KWAITD_IOC_VERSION, KWAITD_IOC_ADOPT,
	KWAITD_IOC_RELEASE, KWAITD_IOC_LIST, KWAITD_IOC_REAP,
};

static unsigned long pick_cmd(void)
{
	unsigned long cmd = cmds[rnd(6)];

	switch (rnd(8)) {
	case 0:
		return rnd(1U << 31) << 1 | rnd(2);
	case 1:
		return cmd ^ 1UL << rnd(32);
	case 2:
		return (cmd & ~IOCSIZE_MASK) | rnd(_IOC_SIZEMASK + 1) << IOCSIZE_SHIFT;
	default:
		return cmd;
	}
}

static bool same_cmd(unsigned long a, unsigned long b)
{
	return !((a ^ b) & ~IOCSIZE_MASK & 0xffffffff);
}

/* Mostly zeros, or nearly everything would be EINVAL. */
static void fill(char *p, size_t n)
{
	unsigned int bits = rnd(3);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = bits && !rnd(bits * 16) ? rnd(256) : 0;
}

/* An argument in the good pages that makes some sense. Not the fd of release */
static void fill_argument(char *p, unsigned long cmd, const struct fds *fds)
{
	struct kwaitd_list *list = (void *)p;

	fill(p, 128);
	if (same_cmd(cmd, KWAITD_IOC_LIST)) {
		list->reapers = (uintptr_t)pick_address();
		list->size = rnd(4) ? sizeof(struct kwaitd_reaper) : rnd(2 * 4096);
	} else if (rnd(8) || same_cmd(cmd, KWAITD_IOC_RELEASE)) {
		*(int *)p = pick_fd(fds, !same_cmd(cmd, KWAITD_IOC_RELEASE));
	}
}

static bool known_errno(int err)
{
	static const int errs[] = {
		EBADF, EINVAL, ENOTTY, EFAULT, E2BIG, EALREADY, ENOENT, EPERM, ESRCH,
		EOPNOTSUPP, EAGAIN, ENODATA, EREMOTE,
	};
	unsigned int i;

	for (i = 0; i < sizeof(errs) / sizeof(*errs); i++) {
		if (err == errs[i])
			return true;
	}
	return false;
}

/* What succeeds may only tell, or find nothing to do. */
static bool harmless(unsigned long cmd)
{
	return same_cmd(cmd, KWAITD_IOC_VERSION) || same_cmd(cmd, KWAITD_IOC_LIST) ||
	       same_cmd(cmd, KWAITD_IOC_REAP) || same_cmd(cmd, KWAITD_IOC_EXIT_INFO);
}

/* Return: how many calls had a result that they must not have */
static long ioctls(const struct fds *fds, long calls, bool privileged, long *ok)
{
	int fd = open("/dev/kwaitd", O_RDWR | O_CLOEXEC), ret;
	unsigned long cmd;
	long wrong = 0;
	char *arg;

	for (*ok = 0; calls-- > 0;) {
		cmd = pick_cmd();
		arg = pick_address();
		/* What is left in other pages may be the fd of release. */
		if (privileged && same_cmd(cmd, KWAITD_IOC_RELEASE) &&
		    (arg < memory.pages || arg >= memory.pages + memory.page))
			continue;
		if (arg >= memory.pages && arg < memory.pages + memory.page)
			fill_argument(arg, cmd, fds);
		errno = 0;
		ret = ioctl(fd, cmd, arg);
		if (!ret)
			++*ok;
		if (ret ? ret != -1 || !known_errno(errno) :
			  !harmless(cmd) ||
			  (!privileged && same_cmd(cmd, KWAITD_IOC_REAP))) {
			wrong++;
			fprintf(stderr, "# ioctl %#lx: %d, errno %d\n", cmd, ret, errno);
		}
	}
	close(fd);
	return wrong;
}

static bool same_reaper(const struct kwaitd_reaper *a, const struct kwaitd_reaper *b)
{
	return !memcmp(a, b, sizeof(*a));
}

TEST_F(reaper, ioctls)
{
	struct kwaitd_reaper before, after;
	struct fds fds;
	long ok;

	seed(_metadata);
	ASSERT_TRUE(memory_init());
	ASSERT_EQ(0, kw_adopt(self->r.pid));
	ASSERT_TRUE(kw_listed(self->r.pid, &before));
	fds_init(&fds, self->r.pid);
	EXPECT_EQ(0, ioctls(&fds, env("KWAITD_CALLS", 50000), true, &ok));
	EXPECT_LT(0, ok);
	ASSERT_TRUE(kw_listed(self->r.pid, &after));
	EXPECT_TRUE(same_reaper(&before, &after));
	EXPECT_EQ(1, kw_stat("adopted"));
	EXPECT_EQ(0, kw_release(self->r.pid));
	TH_LOG("%ld of them succeeded", ok);
}

/* Parameters: what is refused changes nothing, and what is not is what was written. */

static void random_text(char *text, size_t size)
{
	static const char * const words[] = {
		"detached", "all", "none", "off", "on", "auto", "0", "1", "4096", "-1",
		"65537", "18446744073709551616", "0x10", " 1", "1 ", "cgroup:",
		"cgroup:/nowhere", "cgroup:/../..", "userns:", "userns:0", "userns:x",
		"allx", "detache", "userns:1", "",
	};
	size_t n = rnd(size - 1) + 1, i;

	if (rnd(2)) {
		snprintf(text, size, "%s%s", words[rnd(25)], rnd(2) ? "\n" : "");
		return;
	}
	for (i = 0; i < n - 1; i++)
		text[i] = rnd(4) ? ' ' + rnd(95) : 1 + rnd(255);
	text[i] = '\0';
}

static const struct {
	const char *name;
	long min, max;		/* 0: it is no number */
} parameters[] = {
	{ "offload", 0, 0 }, { "batch", 1, 4096 }, { "max_backlog", 0, 65536 },
	{ "grace_ms", 0, 3600000 }, { "auto_adopt", 0, 0 },
};

static bool legal_words(const char *val)
{
	char end;
	long n;

	return !strcmp(val, "off") || !strncmp(val, "cgroup:/", 8) ||
	       (sscanf(val, "userns:%ld%c", &n, &end) == 1 && n > 0 && n <= UINT32_MAX);
}

/* Is it one that the parameter may have, and the one that was written? */
static bool legal(unsigned int i, const char *val, char *text)
{
	char *end;
	long n;

	if (parameters[i].max) {
		n = strtol(val, &end, 10);
		return *val && !*end && n >= parameters[i].min &&
		       n <= parameters[i].max && n == strtol(text, NULL, 0);
	}
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(val, text) &&
	       (i ? legal_words(val) : !strcmp(val, "none") ||
		!strcmp(val, "detached") || !strcmp(val, "all"));
}

TEST_F(kwaitd, parameters)
{
	char path[64], old[256], text[5000];
	long calls, accepted = 0;
	unsigned int i;

	seed(_metadata);
	for (calls = env("KWAITD_CALLS", 50000) / 50; calls > 0; calls--) {
		i = rnd(5);
		snprintf(path, sizeof(path), KW_PARAMS "%s", parameters[i].name);
		snprintf(old, sizeof(old), "%s", kw_read(path));
		random_text(text, rnd(16) ? 64 : sizeof(text));
		/* Nothing at all does not get to the parameter. */
		if (kw_write(path, text) || !*text) {
			EXPECT_STREQ(old, kw_read(path));
			continue;
		}
		accepted++;
		EXPECT_TRUE(legal(i, kw_read(path), text))
			TH_LOG("%s: %s", parameters[i].name, kw_read(path));
	}
	EXPECT_LT(0, accepted);
	/* The fixture sets the others. */
	EXPECT_EQ(0, kw_write(KW_PARAMS "grace_ms", "0"));
	EXPECT_EQ(0, kw_write(KW_PARAMS "auto_adopt", "off"));
}

/* A file of debugfs, of which there is no more than fits. Return: its length, or -1 */
static ssize_t read_whole(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = 0, len = 0;

	while (fd >= 0 && (n = read(fd, buf + len, size - len)) > 0)
		len += n;
	close(fd);
	return fd < 0 || n < 0 ? -1 : len;
}

/* A part of it. Return: 1, it is a part of the whole; 0, not; -1, that has changed */
static int read_part(const char *path)
{
	static char before[16384], after[16384], part[8192];
	ssize_t len = read_whole(path, before, sizeof(before)), n, want;
	size_t size = rnd(sizeof(part) + 1);
	off_t off = rnd(2) ? rnd(len + 100) : rnd(1U << 31);
	int fd = open(path, O_RDONLY);

	n = pread(fd, part, size, off);
	close(fd);
	if (read_whole(path, after, sizeof(after)) != len || memcmp(before, after, len))
		return -1;
	want = off >= len ? 0 : (ssize_t)size < len - off ? (ssize_t)size : len - off;
	return n == want && !memcmp(part, before + (want ? off : 0), want);
}

TEST_F(kwaitd, debugfs)
{
	static const char * const names[] = { "stats", "per_cpu", "latency", "hooks" };
	char path[4][64], buf[8192];
	long calls, same = 0;
	size_t size;
	int fds[4], i, ret;

	seed(_metadata);
	for (i = 0; i < 4; i++) {
		snprintf(path[i], sizeof(path[i]), KW_DEBUGFS "%s", names[i]);
		/* Root may open it like that, */
		fds[i] = open(path[i], O_RDWR);
		ASSERT_LE(0, fds[i]);
	}
	for (calls = env("KWAITD_CALLS", 50000) / 50; calls > 0; calls--) {
		i = rnd(4);
		size = rnd(sizeof(buf) + 1);
		switch (rnd(4)) {
		case 0:
			/* from wherever it is, and that is changed meanwhile */
			ret = read(fds[i], buf, size);
			EXPECT_LE(0, ret);
			EXPECT_GE((int)size, ret);
			break;
		case 1:
			ret = read_part(path[i]);
			EXPECT_NE(0, ret) TH_LOG("%s", names[i]);
			same += ret == 1;
			break;
		case 2:
			lseek(fds[i], (long)rnd(20000) - 1000, rnd(3));
			break;
		case 3:
			/* but there is nothing to write to. */
			EXPECT_EQ(-1, write(fds[i], buf, rnd(100)));
			EXPECT_EQ(EINVAL, errno);
			break;
		}
	}
	EXPECT_LT(0, same);
	for (i = 0; i < 4; i++)
		close(fds[i]);
}

/* What nobody must not, as nobody, and as the root of his own user namespace */

static int opens(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? errno : 0;
}

static bool denied(int err)
{
	return err == EACCES || err == EPERM;
}

/* Return: 0, or the number of what was not refused */
static int tries_all(const struct fds *fds)
{
	static const char * const files[] = { "stats", "per_cpu", "latency", "hooks" };
	static const char * const params[] = {
		"offload", "batch", "max_backlog", "grace_ms", "auto_adopt", "clone3",
	};
	struct kwaitd_adopt adopt = { .pidfd = fds->reaper };
	struct kwaitd_reap reap = { .pidfd = fds->reaper };
	struct kwaitd_adopt init = { .pidfd = kw_pidfd(1) };
	char path[64];
	int i;

	if (kw_ctl(KWAITD_IOC_ADOPT, &adopt) != EPERM)
		return 1;
	if (kw_ctl(KWAITD_IOC_RELEASE, &adopt) != EPERM)
		return 2;
	if (kw_ctl(KWAITD_IOC_REAP, &reap) != EPERM)
		return 3;
	reap.flags = KWAITD_REAP_DRY_RUN;
	if (kw_ctl(KWAITD_IOC_REAP, &reap) != EPERM)
		return 4;
	if (kw_ctl(KWAITD_IOC_ADOPT, &init) != EPERM)
		return 5;
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), KW_DEBUGFS "%s", files[i]);
		if (!denied(opens(path, O_RDONLY)) || !denied(opens(path, O_WRONLY)))
			return 10 + i;
	}
	for (i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), KW_PARAMS "%s", params[i]);
		if (!denied(opens(path, O_WRONLY)) || !denied(opens(path, O_RDWR)))
			return 20 + i;
	}
	if (!syscall(SYS_delete_module, "kwaitd", O_NONBLOCK) || errno != EPERM)
		return 30;
	return 0;
}

/* Return: that; NOT_ALLOWED to make namespaces; or 100: it did not get so far */
static int unprivileged(const struct fds *fds, int namespaces)
{
	long ok;
	int err;

	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return 100;
	if (namespaces && unshare(namespaces))
		return errno == EPERM ? NOT_ALLOWED : 100;
	err = tries_all(fds);
	if (!err && ioctls(fds, env("KWAITD_CALLS", 50000) / 5, false, &ok))
		err = 40;
	return err;
}

static void without(struct __test_metadata *_metadata, pid_t reaper, int namespaces)
{
	struct kwaitd_reaper before, after;
	struct fds fds;
	int status;
	pid_t pid;

	seed(_metadata);
	ASSERT_TRUE(memory_init());
	ASSERT_EQ(0, kw_adopt(reaper));
	ASSERT_TRUE(kw_listed(reaper, &before));
	fds_init(&fds, reaper);
	pid = kw_helper();
	if (!pid)
		_exit(unprivileged(&fds, namespaces));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (namespaces && WEXITSTATUS(status) == NOT_ALLOWED)
		SKIP(return, "nobody may not make a user namespace here");
	EXPECT_EQ(0, status);
	ASSERT_TRUE(kw_listed(reaper, &after));
	EXPECT_TRUE(same_reaper(&before, &after));
	EXPECT_EQ(1, kw_stat("adopted"));
}

TEST_F(reaper, nobody)
{
	without(_metadata, self->r.pid, 0);
}

TEST_F(reaper, nobody_as_root)
{
	without(_metadata, self->r.pid, CLONE_NEWUSER | CLONE_NEWPID);
}

TEST_HARNESS_MAIN
