// SPDX-License-Identifier: GPL-2.0
/* What /proc tells of a process. It may be gone at any time. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "util.h"

/* So many fields of a line that are not looked at */
#define SKIP_5 " %*s %*s %*s %*s %*s"

static FILE *open_of(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return fopen(path, "re");
}

bool proc_read(pid_t pid, struct proc *proc)
{
	FILE *f = open_of(pid, "stat");
	char line[1024], *open, *close;
	__u64 start;
	size_t len;

	if (!f)
		return false;
	len = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[len] = '\0';
	/* There may be parentheses and blanks in the name. */
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close ||
	    sscanf(close, ") %c %d" SKIP_5 SKIP_5 SKIP_5 " %ld %*s %llu" SKIP_5 SKIP_5
		   SKIP_5 " %*s %d", &proc->state, &proc->ppid, &proc->threads,
		   &start, &proc->cpu) != 5)
		return false;
	proc->pid = pid;
	proc->start = start;
	*close = '\0';
	util_printable(proc->comm, sizeof(proc->comm), open + 1);
	return true;
}

/* The value of a field, without what is before it; false: there is none */
bool proc_status(pid_t pid, const char *field, char *buf, size_t size)
{
	FILE *f = open_of(pid, "status");
	size_t len = strlen(field);
	bool found = false;
	char line[4096];

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		found = !strncmp(line, field, len) && line[len] == ':';
		if (!found)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(buf, size, "%s",
			 line + len + 1 + strspn(line + len + 1, " \t"));
	}
	fclose(f);
	return found;
}

__u64 proc_status_hex(pid_t pid, const char *field)
{
	char buf[32];

	if (!proc_status(pid, field, buf, sizeof(buf)))
		return 0;
	return strtoull(buf, NULL, 16);
}

/* Of the pid namespace that it is in, whichever that is */
bool proc_is_init(pid_t pid)
{
	char buf[256], *last;

	if (!proc_status(pid, "NSpid", buf, sizeof(buf)))
		return pid == 1;
	last = strrchr(buf, '\t');
	return !strcmp(last ? last + 1 : buf, "1");
}

/* Return: a process id, or 0: nobody traces the process */
pid_t proc_tracer(pid_t pid)
{
	char buf[32];

	return proc_status(pid, "TracerPid", buf, sizeof(buf)) ? atoi(buf) : 0;
}

void proc_comm(pid_t pid, char *buf, size_t size)
{
	struct proc p;

	util_printable(buf, size, proc_read(pid, &p) ? p.comm : "?");
}

/* In the hierarchy of version 2; "" where there is none */
void proc_cgroup(pid_t pid, char *buf, size_t size)
{
	FILE *f = open_of(pid, "cgroup");
	char line[4096];

	*buf = '\0';
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3))
			util_printable(buf, size, line + 3);
	}
	fclose(f);
}

/* When it last got a CPU, in ms of a clock of that CPU; or -1 */
static double last_ran(pid_t pid)
{
	FILE *f = open_of(pid, "sched");
	double ms = -1;
	char line[256];

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "se.exec_start : %lf", &ms) == 1)
			break;
	}
	fclose(f);
	return ms;
}

/* Read that clock, if we may run there; else that of another CPU. */
static double read_clock(int cpu)
{
	cpu_set_t before, set;
	double ms;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_getaffinity(0, sizeof(before), &before) ||
	    sched_setaffinity(0, sizeof(set), &set))
		return last_ran(getpid());
	ms = last_ran(getpid());
	sched_setaffinity(0, sizeof(before), &before);
	return ms;
}

/*
 * What a CPU's clock is now, in ms. These clocks stand still in interrupts and
 * while a hypervisor has other things to do, so they differ by seconds; but not
 * anew from one zombie to the next.
 */
static double clock_of(int cpu)
{
	static double ahead[CPU_SETSIZE];	/* of util_now() */
	static cpu_set_t known;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return last_ran(getpid());
	if (!CPU_ISSET(cpu, &known)) {
		ahead[cpu] = read_clock(cpu) - util_now() * 1000;
		CPU_SET(cpu, &known);
	}
	return ahead[cpu] + util_now() * 1000;
}

static double seconds_up(void)
{
	FILE *f = fopen("/proc/uptime", "re");
	double s = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%lf", &s) != 1)
		s = 0;
	fclose(f);
	return s;
}

/*
 * For how many seconds it has been dead. A zombie has had its last turn on a CPU
 * when it died. Where the kernel does not tell there is only when it was started.
 *
 * Return: false if it can be any less
 */
bool proc_age(const struct proc *zombie, double *age)
{
	double then = last_ran(zombie->pid);
	bool exact = then >= 0;

	if (exact)
		*age = (clock_of(zombie->cpu) - then) / 1000;
	else
		*age = seconds_up() - (double)zombie->start / sysconf(_SC_CLK_TCK);
	/* Clocks are read to a tick. */
	if (*age < 0)
		*age = 0;
	return exact;
}
