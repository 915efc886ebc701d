#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Another user of IPMODIFY in a hooked function, such as a livepatch. The second to come is
# refused, and the first goes on as before. Where kwaitd can do without the hook, it is
# not refused and does without.
#
# If this fails, kwaitd and a livepatch break each other, and not only refuse to load.
#
# KWAITD_KO names kwaitd's file, and KWAITD_MODULES where the other module is.
ipmodify=$KWAITD_MODULES/kwaitd_ipmodify.ko
cd "$(dirname "$0")" || exit 1
. ./tap.sh

if [ ! -e "$ipmodify" ] || [ ! -e "$KWAITD_KO" ] ||
	[ ! -e /sys/module/kwaitd ]; then
	skip "kwaitd is not loaded, or there are no modules to load"
fi
needed="release_task do_notify_parent" optional=
while read -r _ symbol _; do
	case $symbol in
	__ptrace_detach | copy_clone_args_from_user | pidfd_poll | \
		zap_pid_ns_processes)
		optional="$optional $symbol" ;;
	esac
done </sys/kernel/debug/kwaitd/hooks
# shellcheck disable=SC2086 # words
set -- $optional
plan "$((13 + 3 * $#))"
# EBUSY, in the words of any libc
refused() { ! insmod "$1" 2>/tmp/insmod.err && grep -qi "resource busy" /tmp/insmod.err; }
# kwaitd's lines in the log about its hook in this function
log_lines() { dmesg | grep -cE "kwaitd: cannot hook [a-z0-9]+ \($1\): -(EBUSY|16)\$"; }
# ... and insmod may have tried in two ways.
said() { [ "$(log_lines "$1")" -gt "$lines" ]; }
absent()
{
	[ ! -e /sys/module/kwaitd ] && [ ! -e /dev/kwaitd ] &&
		[ ! -e /sys/kernel/debug/kwaitd ] && ! ps | grep -q '[k]waitd/[0-9]'
}
works() { ./detached_child detached >/dev/null; }
# 4: there is no such kind of child
stock() { ./detached_child ordinary >/dev/null && ! works; }
loads() { rmmod kwaitd_ipmodify && insmod "$KWAITD_KO"; }
unloads() { rmmod kwaitd 2>/dev/null; }

# not armed, and the others are
does_without()
{
	awk -v symbol="$1" 'NR > 1 && ($2 == symbol) == $3 { bad = 1 }
		END { exit bad }' /sys/kernel/debug/kwaitd/hooks && works
}

check "it is refused while kwaitd is there" refused "$ipmodify"
check "and kwaitd goes on" works
# when the last mark is gone
check "kwaitd can be unloaded" soon unloads
for symbol in $needed; do
	insmod "$ipmodify" symbol="$symbol"
	lines=$(log_lines "$symbol")
	check "kwaitd is refused while it is in $symbol()" refused "$KWAITD_KO"
	check "and says so in the log" said "$symbol"
	check "and nothing of it is left" absent
	check "and children are what they always were" stock
	check "without it kwaitd loads" loads
	soon unloads
done
for symbol in $optional; do
	insmod "$ipmodify" symbol="$symbol"
	lines=$(log_lines "$symbol")
	check "kwaitd loads while it is in $symbol()" insmod "$KWAITD_KO"
	check "and says so in the log" said "$symbol"
	check "and does without it" does_without "$symbol"
	soon unloads
	rmmod kwaitd_ipmodify
done
insmod "$KWAITD_KO"
exit $fail
