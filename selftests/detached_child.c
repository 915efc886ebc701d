// SPDX-License-Identifier: GPL-2.0
/*
 * A program for tracers to follow: it has a child of the kind that its argument names, and
 * says whether the child ended as a child of its kind must. The child makes a system call
 * that nothing else makes, and exits with 42. Status 4: there are no such children here.
 */
#include "lib/clone.h"
#include "lib/end.h"
#include "lib/kernel.h"
#include "lib/module.h"

#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char * const kinds[] = {
		[KW_ORDINARY] = "ordinary",
		[KW_DETACHED] = "detached",
		[KW_AUTOREAP] = "autoreap",
	};
	int status = W_EXITCODE(42, 0);
	enum kw_kind kind = KW_ORDINARY;
	pid_t pid;

	while (argc != 2 || strcmp(argv[1], kinds[kind])) {
		if (argc != 2 || kind++ == KW_AUTOREAP)
			return 2;
	}
	if (kind != KW_ORDINARY && !kw_loaded() &&
	    (kind == KW_DETACHED || !kw_native()))
		return 4;
	pid = kw_child(kind, 0);
	if (!pid)
		_exit(chdir("/kwaitd/child") ? 42 : 1);
	if (pid < 0 || !kw_ends(kind, pid, &status) ||
	    status != W_EXITCODE(42, 0))
		return 1;
	printf("%s child %d: a good end\n", kinds[kind], pid);
	return 0;
}
