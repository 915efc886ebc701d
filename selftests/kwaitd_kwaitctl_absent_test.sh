#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kwaitctl where the module is not loaded, is unloaded meanwhile, or could not get a hook:
# it says so, and does what it can.
#
# If this fails, kwaitctl prints nonsense or nothing when its user wants to know why
# kwaitd does not work.
#
# KWAITD_KO names kwaitd's file, and KWAITD_MODULES the directory of another module, that
# takes the hook.
kwaitctl=${KWAITCTL:-/sbin/kwaitctl}
hooks=/sys/kernel/debug/kwaitd/hooks
ipmodify=$KWAITD_MODULES/kwaitd_ipmodify.ko
dir=/tmp/kwaitctl.$$

cd "$(dirname "$0")" || exit 1
. ./tap.sh
if ! [ -x "$kwaitctl" ] || ! [ -e "$KWAITD_KO" ] || ! [ -e /dev/kwaitd ]; then
	skip "kwaitd is not loaded, or there is no kwaitctl"
fi
# Those that it can do without
optional=
while [ -e "$ipmodify" ] && read -r _ symbol _; do
	case $symbol in
	__ptrace_detach | copy_clone_args_from_user | pidfd_poll | \
		zap_pid_ns_processes)
		optional="$optional $symbol" ;;
	esac
done <$hooks
# shellcheck disable=SC2086 # words
set -- $optional
plan "$((11 + 3 * $#))"

# refuses TEXT COMMAND...: fails, says so, and prints nothing
refuses()
{
	what=$1
	shift
	timeout "$patience" "$kwaitctl" "$@" >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && [ ! -s "$dir/out" ] && grep -qF -- "$what" "$dir/err"
}

unloads() { rmmod kwaitd 2>/dev/null; }
child_of() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
has_child() { [ -n "$(child_of "$1")" ]; }
zombies()
{
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v p="$init" '{ sub(/.*\) /, "") }
		$1 == "Z" && $2 == p { n++ } END { exit n != 3 }'
}

mkdir "$dir"
mkfifo "$dir/end"
# Three children that it does not wait for, as a shell might
cat >"$dir/neglect" <<-EOF
	#!/bin/sh
	exec 3<>$dir/end
	for _ in 1 2 3; do (read -r _ <&3) & done
	exec sleep inf
EOF
chmod +x "$dir/neglect"

# While it goes

: >"$dir/stat"
"$kwaitctl" stat 0.1 >>"$dir/stat" 2>"$dir/out" &
stat=$!
"$kwaitctl" events >/dev/null 2>"$dir/err" &
events=$! instance=/sys/kernel/tracing/instances/kwaitctl-$!
is_traced() { grep -qs 1 "$instance"/events/kwaitd/kwaitd_inline/enable; }
soon test -s "$dir/stat" && soon is_traced
check "both run" shown [ $? = 0 ]
check "the module can be unloaded" shown soon unloads
wait $stat
[ $? = 1 ] && grep -q "the module is not loaded" "$dir/out"
check "stat ends with the module" shown [ $? = 0 ]
wait $events
[ $? = 1 ] && grep -q "the module was unloaded" "$dir/err"
check "events ends with the module" shown [ $? = 0 ]
check "and leaves no tracing instance" [ ! -e $instance ]

# Without it

while read -r args; do
	# shellcheck disable=SC2086 # words
	refuses "the module is not loaded: 'modprobe kwaitd'" $args || break
	args=
done <<EOF
status
stat
stat -c
stat -j
stat -p
stat 0.1 2
top -b -n 1
latency
latency --json
events
list
list --json
adopt 1
release 1
reap 1
EOF
check "each subcommand says that it is not there: $args" shown [ -z "$args" ]
"$kwaitctl" status --json >"$dir/out" 2>"$dir/err"
[ $? = 1 ] && [ "$(tr -d ' \n' <"$dir/out")" = '{"loaded":false}' ] &&
	grep -q "the module is not loaded" "$dir/err"
check "status --json does, too" shown [ $? = 0 ]

unshare -p -f "$dir/neglect" &
unshare=$!
soon has_child $unshare
init=$(child_of $unshare)
init=${init% }
soon grep -qx sleep "/proc/$init/comm"
printf '\n\n\n' >"$dir/end"
check "there are zombies" soon zombies
tells_zombies()
{
	"$kwaitctl" zombies >"$dir/out" 2>"$dir/err" &&
		awk -v p="$init" '$1 == 3 && $4 == p && $5 == "sleep" { found = 1 }
			END { exit !found }' "$dir/out"
}
check "zombies tells of them" shown tells_zombies
"$kwaitctl" zombies --json >"$dir/out" 2>"$dir/err" &&
	tr -d ' \n' <"$dir/out" | grep -qF "\"parent\":{\"pid\":$init,\"comm\":\"sleep\","
check "zombies --json" shown [ $? = 0 ]
kill -KILL "$init"
wait $unshare

./detached_child autoreap >/dev/null
if [ $? = 4 ]; then
	refuses "no CLONE_AUTOREAP" run -p true && grep -q "the module is not loaded" "$dir/err"
	check "run needs it" shown [ $? = 0 ]
else
	timeout "$patience" "$kwaitctl" run -p sh -c 'exit 9' >"$dir/out" 2>"$dir/err"
	check "run does not need it" shown [ $? = 9 ]
fi

# With all of its hooks but one

for symbol in $optional; do
	insmod "$ipmodify" symbol="$symbol"
	insmod "$KWAITD_KO"
	"$kwaitctl" status >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && grep -qx "hooks  *[0-9]*, 1 not armed" "$dir/out" &&
		grep -q " $symbol  *NO  *0$" "$dir/out" &&
		grep -q "the hook in $symbol is not armed" "$dir/err"
	check "status without the hook in $symbol()" shown [ $? = 0 ]
	"$kwaitctl" status --json >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && tr -d ' \n' <"$dir/out" |
		grep -qF "\"symbol\":\"$symbol\",\"armed\":false" &&
		[ "$(grep -c '"armed": false' "$dir/out")" = 1 ]
	check "status --json" shown [ $? = 0 ]
	timeout "$patience" "$kwaitctl" run -p sh -c 'exit 9' >"$dir/out" 2>"$dir/err"
	check "run --pidfd" shown [ $? = 9 ]
	soon unloads
	rmmod kwaitd_ipmodify
done

insmod "$KWAITD_KO"
rm -r "$dir"
exit $fail
