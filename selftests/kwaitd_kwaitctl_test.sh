#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kwaitctl against the module: what it prints is what is the case.
#
# Without this the command and the module drift apart.
kwaitctl=${KWAITCTL:-/sbin/kwaitctl}

. "$(dirname "$0")/tap.sh"
if ! [ -x "$kwaitctl" ] || ! [ -e /dev/kwaitd ]; then
	skip "kwaitd is not loaded, or there is no kwaitctl"
fi
plan 13

# says TEXT COMMAND...: is it in what the command prints, on either output?
says()
{
	text=$1
	shift
	"$kwaitctl" "$@" 2>&1 | grep -qF -- "$text"
}

# An init that waits for nobody: of a command that leaves an orphan a tenth second
unshare -p -f sh -c 'while :; do sh -c "sleep 0 & exit" & wait $!; usleep 100000
	done' &
unshare=$!
tries=0
until init=$(cat /proc/$unshare/task/$unshare/children) && [ -n "$init" ]; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] || break
	usleep 100000
done
init=${init% }

says "not adopted" release "$init"
result $? "release of what is not adopted"
says "no such process" adopt 999999
result $? "adopt of nobody"
says "not a reaper" adopt $$
result $? "adopt of who is no reaper"
"$kwaitctl" adopt "$init" >/dev/null
result $? "adopt"
says already adopt "$init"
result $? "adopt again"
says "$init" list
result $? "list"
says '"orphans"' list --json
result $? "list --json"
says "orphan " events -n 1
result $? "events"
# One that kwaitd had no part in is told of as well. The first may have died before.
offload=$(cat /sys/module/kwaitd/parameters/offload)
echo none >/sys/module/kwaitd/parameters/offload
"$kwaitctl" events -n 3 |
	grep -q '^[0-9:.]* orphan .*, child of .*, released at once: offload, cgroup '
result $? "events, of an orphan released at once"
echo "$offload" >/sys/module/kwaitd/parameters/offload
"$kwaitctl" stat --prometheus | awk '
	$1 == "kwaitd_reaped_total" { reaped = $2 }
	$1 == "kwaitd_latency_seconds_count" { count = $2 }
	$1 == "kwaitd_latency_seconds_sum" { sum = $2 }
	/reaped_ns/ { bad = 1 }
	END { exit !(reaped > 0 && count > 0 && sum > 0) || bad }'
result $? "stat --prometheus"
"$kwaitctl" reap "$init" --older-than 0 >/dev/null
result $? "reap"
"$kwaitctl" run --pidfd -- sh -c 'exit 9'
[ $? = 9 ]
result $? "run --pidfd"
"$kwaitctl" release "$init" && ! says "$init" list
result $? "release"

kill -KILL "$init"
wait $unshare
exit $fail
