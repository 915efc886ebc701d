#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# tini, dumb-init and catatonit as init of an adopted pid namespace: the exit status
# of their command gets through, they forward signals and end with it, and no
# zombies are left. As without adoption, which is the control.
#
# Without this adopting a container that has such an init may break it.
param=/sys/module/kwaitd/parameters/auto_adopt
stats=/sys/kernel/debug/kwaitd/stats

. "$(dirname "$0")/tap.sh"
if [ ! -e $param ]; then
	skip "kwaitd is not loaded"
fi
plan 18

# until COMMAND...: for up to 20 seconds
until_ok()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || return 1
		usleep 100000
	done
}

counter()
{
	sed -n "s/^$1 //p" $stats
}

# Has $1 a child, and is it in $child?
has_child()
{
	child=$(cat "/proc/$1/task/$1/children") && [ -n "$child" ]
}

# Have the orphans of below died, adopted, since the counter was $1?
orphans_since()
{
	[ $(($(counter orphans) - $1)) -ge 16 ]
}

no_zombies()
{
	! grep -q '^State:.Z' /proc/[0-9]*/status 2>/dev/null
}

# one INIT off|POLICY: three results
one()
{
	echo "$2" >$param
	before=$(counter orphans)

	unshare -p -f "$1" -- sh -c 'exit 42'
	[ $? = 42 ]
	result $? "$1, $2: exit status"

	unshare -p -f "$1" -- sh -c 'trap "exit 43" TERM
		for i in 1 2 3 4 5 6 7 8; do (sleep 0 & sleep 0 &); done
		>/tmp/ready
		while :; do sleep 1; done' &
	until_ok [ -e /tmp/ready ]
	rm -f /tmp/ready
	# adopted: they never get to init
	{ [ "$2" = off ] || until_ok orphans_since "$before"; } &&
		until_ok no_zombies
	result $? "$1, $2: orphans"

	# unshare's child is init
	if has_child $!; then
		kill -TERM $child
	else
		kill -KILL $!
	fi
	wait $!
	[ $? = 43 ]
	result $? "$1, $2: signal"
}

for init in tini dumb-init catatonit; do
	one $init off
	one $init cgroup:/
done
echo off >$param
exit $fail
