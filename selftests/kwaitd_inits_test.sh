#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# tini, dumb-init and catatonit as init of an adopted pid namespace: they pass on the exit
# status of their command, forward signals and end with it, and no zombies are left. The
# control is the same without adoption.
#
# If this fails, adopting a container that has such an init breaks the container.
param=/sys/module/kwaitd/parameters/auto_adopt
stats=/sys/kernel/debug/kwaitd/stats

. "$(dirname "$0")/tap.sh"
if [ ! -e $param ]; then
	skip "kwaitd is not loaded"
fi
plan 18

counter()
{
	sed -n "s/^$1 //p" $stats
}

# only_child PID: has it one child, alive or dead? $child is that.
only_child()
{
	child=$(cat "/proc/$1/task/$1/children") && child=${child% } &&
		[ -n "$child" ] && [ "$child" = "${child#* }" ]
}

# one INIT off|POLICY: three results
one()
{
	echo "$2" >$param
	adopted=0
	[ "$2" = off ] || adopted=16
	before=$(counter orphans)

	unshare -p -f "$1" -- sh -c 'exit 42'
	[ $? = 42 ]
	result $? "$1, $2: exit status"

	unshare -p -f "$1" -- sh -c 'trap "exit 43" TERM
		for i in 1 2 3 4 5 6 7 8; do (sleep 0 & sleep 0 &); done
		>/tmp/ready
		sleep inf & wait' &
	unshare=$!
	soon [ -e /tmp/ready ]
	rm -f /tmp/ready
	# The orphans are all there, and are children of init's until they are released.
	# Adopted ones never get to it.
	soon only_child $unshare
	first=$child
	soon only_child "$first" && [ $(($(counter orphans) - before)) = $adopted ]
	result $? "$1, $2: orphans"

	kill -TERM "$first" || kill -KILL $unshare
	wait $unshare
	[ $? = 43 ]
	result $? "$1, $2: signal"
}

for init in tini dumb-init catatonit; do
	one $init off
	one $init cgroup:/
done
echo off >$param
exit $fail
