#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# strace and gdb follow a child of each kind to its end, and see what it exits
# with. Then it ends as if nobody had looked: detached_child says so.
cd "$(dirname "$0")" || exit 1
log=/tmp/kwaitd_tracers.log

echo "TAP version 13"
if ! command -v strace >/dev/null || ! command -v gdb >/dev/null; then
	echo "1..0 # SKIP no strace, or no gdb"
	exit 4
fi
echo "1..6"
n=0 fail=0
check() # TEXT COMMAND...
{
	text=$1
	shift
	n=$((n + 1))
	if ./detached_child "$kind" >/dev/null; [ $? = 4 ]; then
		echo "ok $n # SKIP $text: kwaitd is not loaded"
	elif "$@"; then
		echo "ok $n $text"
	else
		echo "not ok $n $text"
		fail=1
		sed 's/^/# /' $log
	fi
}
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
	pid=$(sed -n 's/^[a-z]* child \([0-9]*\): .*/\1/p' $log)
	if [ "$kind" = autoreap ]; then
		end="\[LWP $pid exited\]"
	else
		end="\[Inferior 2 (process $pid) exited with code 052\]"
	fi
	[ -n "$pid" ] && good_end "$pid" && grep -q "$end" $log
}

for kind in ordinary detached autoreap; do
	check "strace sees the end of one: $kind" straced
	check "gdb sees the end of one: $kind" debugged
done
rm -f $log $log.strace
exit $fail
