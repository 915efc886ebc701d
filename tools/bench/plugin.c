// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU that counts how often each block of instructions is executed
 * between two marks of the guest's program (MARK() in guest/bench.h). What it logs at
 * the second mark is a line for each block: address, instructions, times, and
 * in what order they were first executed.
 * So nothing is sampled, and what runs with interrupts off is seen as well.
 *
 * A block that is left early, by a page fault, counts whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu-plugin.h"

EXPORT int qemu_plugin_version = 4;

/* The guest has one CPU. */
static int counting;

/* Blocks are never freed: one that QEMU forgets may still have counted. */
struct block {
	struct block *next;
	unsigned long address;
	unsigned long instructions;
	unsigned long times;
	unsigned long order;
};

static struct block *blocks;
static unsigned long order;

static void executed(unsigned int cpu, void *arg)
{
	struct block *block = arg;

	(void)cpu;
	if (!counting)
		return;
	if (!block->times++)
		block->order = order++;
}

static void start(unsigned int cpu, void *arg)
{
	struct block *block;

	(void)cpu;
	(void)arg;
	for (block = blocks; block; block = block->next)
		block->times = 0;
	counting = 1;
}

static void go_on(unsigned int cpu, void *arg)
{
	(void)cpu;
	(void)arg;
	counting = 1;
}

static void stop(unsigned int cpu, void *arg)
{
	struct block *block;
	char line[80];

	(void)cpu;
	(void)arg;
	counting = 0;
	for (block = blocks; block; block = block->next) {
		if (!block->times)
			continue;
		snprintf(line, sizeof(line), "%lx %lu %lu %lu\n", block->address,
			 block->instructions, block->times, block->order);
		qemu_plugin_outs(line);
		block->times = 0;
	}
	qemu_plugin_outs("end\n");
}

static void (* const marks[])(unsigned int cpu, void *arg) = { stop, start, go_on };

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	static const unsigned char mark[] = { 0x0f, 0x1f, 0x84, 0x00, 'k', 'w' };
	struct block *block = calloc(1, sizeof(*block));
	struct qemu_plugin_insn *insn;
	unsigned char data[16];
	size_t i;

	(void)id;
	if (!block)
		return;
	block->address = qemu_plugin_tb_vaddr(tb);
	block->instructions = qemu_plugin_tb_n_insns(tb);
	block->next = blocks;
	blocks = block;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, 0, block);
	for (i = 0; i < block->instructions; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		if (qemu_plugin_insn_data(insn, data, sizeof(data)) == 8 &&
		    !memcmp(data, mark, sizeof(mark)) && data[6] < 3)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, marks[data[6]],
							       0, NULL);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
			       char **argv)
{
	(void)info;
	(void)argc;
	(void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
