#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# strace and gdb follow a child of each kind to its end and see its exit status. Then the
# child ends as if it had not been traced: detached_child says so.
#
# If this fails, a detached program cannot be debugged, or is a zombie afterwards.
cd "$(dirname "$0")" || exit 1
. ./tap.sh
log=/tmp/kwaitd_tracers.log

if ! command -v strace >/dev/null || ! command -v gdb >/dev/null; then
	skip "no strace, or no gdb"
fi
plan 6
good_end() { grep -q "^$kind child $1: a good end" $log; }

# Of the three only the ordinary child's end is a signal to its parent.
straced()
{
	strace -f -o $log.strace ./detached_child "$kind" >$log || return
	pid=$(awk '/chdir\("\/kwaitd\/child"/ { print $1 }' $log.strace)
	cat $log.strace >>$log
	sigchlds=0
	[ "$kind" != ordinary ] || sigchlds=1
	[ -n "$pid" ] && good_end "$pid" &&
		grep -q "^$pid  *+++ exited with 42 +++" $log &&
		[ "$(grep -c -- '--- SIGCHLD' $log)" = $sigchlds ]
}

# What is born without an exit signal gdb takes for a thread. It follows that,
# too, but does not say what it exits with.
debugged()
{
	gdb -nx -batch -ex 'set startup-with-shell off' \
		-ex 'set follow-fork-mode child' -ex run \
		--args ./detached_child "$kind" >$log 2>&1 || return
	# gdb has let go of the parent, and does not wait for what that has to say.
	soon grep -q "^$kind child [0-9]*:" $log || return
	pid=$(sed -n 's/^[a-z]* child \([0-9]*\): .*/\1/p' $log)
	if [ "$kind" = autoreap ]; then
		end="\[LWP $pid exited\]"
	else
		end="\[Inferior 2 (process $pid) exited with code 052\]"
	fi
	[ -n "$pid" ] && good_end "$pid" && grep -q "$end" $log
}

logged()
{
	"$@" && return
	sed 's/^/# /' $log
	return 1
}

for kind in ordinary detached autoreap; do
	./detached_child "$kind" >/dev/null
	if [ $? = 4 ]; then
		skip_one "strace sees the end of one: $kind" "kwaitd is not loaded"
		skip_one "gdb sees the end of one: $kind" "kwaitd is not loaded"
		continue
	fi
	check "strace sees the end of one: $kind" logged straced
	check "gdb sees the end of one: $kind" logged debugged
done
rm -f $log $log.strace
exit $fail
