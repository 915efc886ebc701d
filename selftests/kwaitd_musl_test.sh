#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# An ordinary pthread program, built with musl: 64 threads in each of 100 rounds, half of
# them joined and half detached. All are marked, and none is lost.
#
# If this fails, threaded programs of distributions with musl hang or leave dead threads.
cd "$(dirname "$0")" || exit 1
. ./tap.sh
stats=/sys/kernel/debug/kwaitd/stats
stat() { awk -v n="$1" '$1 == n { print $2 }' $stats; }
inlined() { awk '/^inline_/ { n += $2 } END { print n }' $stats; }

if [ ! -e $stats ] || [ ! -x ./musl_pthread ]; then
	skip "kwaitd is not loaded, or there was no musl-gcc"
fi
plan 4
runs() { ./musl_pthread 64 100 >/dev/null; }
at_rest()
{
	[ "$(stat backlog)" = 0 ] &&
		[ "$(stat queued_threads)" = "$(($(stat reaped) - processes))" ]
}

processes=$(($(stat queued_processes) + $(stat queued_orphans)))
marked=$(stat marked_threads) queued=$(stat queued_threads) inlined=$(inlined)
check "the program works" runs
check "each of its threads was marked" \
	[ $(($(stat marked_threads) - marked)) = 6400 ]
check "kwaitd is at rest" soon at_rest
check "each was queued or released inline" [ $(($(stat queued_threads) - queued \
	+ $(inlined) - inlined)) = 6400 ]
exit $fail
