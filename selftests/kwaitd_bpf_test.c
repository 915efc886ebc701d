// SPDX-License-Identifier: GPL-2.0
/*
 * BPF programs on the functions that the module hooks, attached before or after it is
 * loaded. fentry only watches. fexit has a trampoline that calls the function itself, and
 * that call must go where the hook wants it to. Either sees each death once, when the
 * task dies.
 *
 * If this fails, the module or the security agent stops working, on machines where such
 * an agent traces these functions, as soon as the module is loaded.
 */
#include "lib/clone.h"
#include "lib/counters.h"
#include "lib/harness.h"
#include "lib/kernel.h"
#include "lib/module.h"
#include "lib/patience.h"
#include "lib/proc.h"
#include "lib/thread.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <signal.h>

#define DEATHS 8

/* To count calls: a map that the program adds one to, and what is attached */
struct counter {
	int map, prog, link;
};

FIXTURE(bpf) {
	struct counter counters[8];
	int nr;
	bool dies_as_ever;
};

FIXTURE_SETUP(bpf)
{
	if (!kw_loaded())
		SKIP(_exit(255), "kwaitd is not loaded");
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		SKIP(_exit(255), "no BTF");
	self->nr = 0;
}

FIXTURE_TEARDOWN(bpf)
{
	while (self->nr--) {
		close(self->counters[self->nr].link);
		close(self->counters[self->nr].prog);
		close(self->counters[self->nr].map);
	}
	if (!kw_loaded())
		kw_load("");
}

FIXTURE_VARIANT(bpf) {
	enum bpf_attach_type type;
};

FIXTURE_VARIANT_ADD(bpf, fentry) { .type = BPF_TRACE_FENTRY };
FIXTURE_VARIANT_ADD(bpf, fexit) { .type = BPF_TRACE_FEXIT };

/* Return: 0 or -errno */
static int attach(struct counter *c, const char *function, enum bpf_attach_type type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	struct bpf_insn insns[] = {
		/* __sync_fetch_and_add(&map[0], 1); return 0; */
		{ BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, 0 },
		{ 0, 0, 0, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 1 },
		{ BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_1, BPF_REG_2, 0, BPF_ADD },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};
	int id = libbpf_find_vmlinux_btf_id(function, type);

	if (id < 0)
		return -ENOENT;
	opts.attach_btf_id = id;
	c->map = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 8, 1, NULL);
	insns[0].imm = c->map;
	c->prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", insns,
				sizeof(insns) / sizeof(*insns), &opts);
	c->link = bpf_raw_tracepoint_open(NULL, c->prog);
	return c->link < 0 ? -errno : 0;
}

static long calls(const struct counter *c)
{
	const int key = 0;
	long value = -1;

	bpf_map_lookup_elem(c->map, &key, &value);
	return value;
}

/* Detached and ordinary processes, a thread of each kind, and their ends */
static void deaths(struct __test_metadata *_metadata)
{
	pid_t tid = -1, pid;
	int i, status;

	for (i = 0; i < DEATHS; i++) {
		pid = kw_fork(i % 2 ? SIGCHLD : CLONE_DETACHED);
		if (!pid)
			_exit(KW_CODE);
		ASSERT_LT(0, pid);
		if (i % 2) {
			EXPECT_EQ(pid, waitpid(pid, &status, 0));
			EXPECT_EQ(KW_EXITED, status);
		} else {
			EXPECT_TRUE(kw_until(kw_gone(pid)));
		}
	}
	ASSERT_LT(0, kw_thread(kw_thread_exits, kw_stacks(1), NULL, &tid));
	EXPECT_TRUE(kw_until(!__atomic_load_n(&tid, __ATOMIC_ACQUIRE)));
	EXPECT_TRUE(kw_until(kw_at_rest()));
}

static const char * const functions[] = {
	"release_task", "do_notify_parent", "cgroup_post_fork",
};

#define NR_FUNCTIONS (sizeof(functions) / sizeof(*functions))

TEST_F(bpf, later)
{
	unsigned int i;

	for (i = 0; i < NR_FUNCTIONS; i++) {
		ASSERT_EQ(0, attach(&self->counters[i], functions[i], variant->type));
		self->nr++;
	}
	deaths(_metadata);
	/* Others may have died as well. */
	EXPECT_TRUE(kw_until(calls(&self->counters[0]) > DEATHS));
	EXPECT_LE(DEATHS, calls(&self->counters[1]));
	EXPECT_LE(DEATHS + 1, calls(&self->counters[2]));
	EXPECT_GT(2 * DEATHS, calls(&self->counters[0]));
}

/* The second kind takes the place of the first's trampoline. */
TEST_F(bpf, both)
{
	enum bpf_attach_type types[] = { variant->type, BPF_TRACE_FENTRY, BPF_TRACE_FEXIT };
	unsigned int i, j;

	if (!kw_kernel_since(6, 12))
		SKIP(return, "Linux 6.1 does not survive it");
	for (i = 0; i < NR_FUNCTIONS; i++) {
		for (j = 0; j < 3; j++) {
			if (j && types[j] == variant->type)
				continue;
			ASSERT_EQ(0, attach(&self->counters[self->nr], functions[i],
					    types[j]));
			self->nr++;
		}
	}
	deaths(_metadata);
	for (i = 0; i < 2 * NR_FUNCTIONS; i++)
		EXPECT_LE(DEATHS, calls(&self->counters[i]));
}

TEST_F(bpf, first)
{
	unsigned int i;

	ASSERT_TRUE(kw_until(kw_unload()));
	for (i = 0; i < NR_FUNCTIONS; i++) {
		ASSERT_EQ(0, attach(&self->counters[i], functions[i], variant->type));
		self->nr++;
	}
	ASSERT_EQ(0, kw_load(""));
	deaths(_metadata);
	EXPECT_TRUE(kw_until(calls(&self->counters[0]) > DEATHS));
	/* It goes, and they stay. */
	ASSERT_TRUE(kw_until(kw_unload()));
	EXPECT_EQ(0, system("true"));
	ASSERT_EQ(0, kw_load(""));
}

TEST_HARNESS_MAIN
