#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kwaitctl against the module: what it prints is true, and what it is told to do happens.
#
# If this fails, the command and the module no longer fit together.
kwaitctl=${KWAITCTL:-/sbin/kwaitctl}
debug=/sys/kernel/debug
params=/sys/module/kwaitd/parameters
cgroup=/sys/fs/cgroup/kwaitctl
dir=/tmp/kwaitctl.$$

. "$(dirname "$0")/tap.sh"
if ! [ -x "$kwaitctl" ] || ! [ -e /dev/kwaitd ]; then
	skip "kwaitd is not loaded, or there is no kwaitctl"
fi
plan 73

# program NAME: a script by that name, which is the name of its process, too
program()
{
	{
		echo '#!/bin/sh'
		cat
	} >"$dir/$1"
	chmod +x "$dir/$1"
}

# says TEXT COMMAND...: is it in what the command prints, on either output?
says()
{
	what=$1
	shift
	"$kwaitctl" "$@" 2>&1 | grep -qF -- "$what"
}

# prints COMMAND...: succeeds, without a word of complaint
prints()
{
	timeout "$patience" "$kwaitctl" "$@" >"$dir/out" 2>"$dir/err" && [ ! -s "$dir/err" ]
}

# refuses STATUS TEXT COMMAND...: fails so, says so, and prints nothing
refuses()
{
	status=$1 what=$2
	shift 2
	timeout "$patience" "$kwaitctl" "$@" >"$dir/out" 2>"$dir/err"
	[ $? = "$status" ] && [ ! -s "$dir/out" ] && grep -qF -- "$what" "$dir/err"
}

# full COMMAND...: fails where nothing can be printed, and says so
full()
{
	timeout "$patience" "$kwaitctl" "$@" >/dev/full 2>"$dir/err"
	[ $? = 1 ] && grep -q "^kwaitctl.*: standard output: No space left" "$dir/err"
}

# has LINE: is there such a line, an extended regular expression?
has()
{
	grep -qxE -- "$1" "$dir/out"
}

# The output without blanks and newlines, of which no value has any
holds()
{
	tr -d ' \n' <"$dir/out" | grep -qF -- "$1"
}

# is_json <FILE: is it a value, all of it?
is_json()
{
	awk '{ t = t $0 "\n" }
	END {
		gsub(/"([^"\\]|\\.)*"/, "s", t)
		gsub(/[ \t\n]/, "", t)
		gsub(/-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false|null/,
			"v", t)
		while (gsub(/[{](s:[sv](,s:[sv])*)?[}]|\[([sv](,[sv])*)?\]/, "v", t))
			;
		exit t != "v"
	}'
}

# json_lines N: is the output so many lines, each of which is JSON?
json_lines()
{
	[ "$(wc -l <"$dir/out")" = "$1" ] || return
	while read -r line; do
		echo "$line" | is_json || return
	done <"$dir/out"
}

# stat_of NAME: the sum of all counters whose names begin so
stat_of()
{
	awk -v n="$1" 'index($1, n) == 1 { v += $2 } END { print v + 0 }' \
		"$debug/kwaitd/stats"
}

zombies_of()
{
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v p="$1" '{ sub(/.*\) /, "") }
		$1 == "Z" && $2 == p { n++ } END { print n + 0 }'
}
has_zombies() { [ "$(zombies_of "$init")" = "$1" ]; }

child_of() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
has_child() { [ -n "$(child_of "$1")" ]; }
runs() { grep -qx "$1" /proc/[0-9]*/comm 2>/dev/null; }
drained()
{
	[ "$(stat_of backlog)" = "$(stat_of backlog_max)" ] &&
		[ "$(stat_of queued_)" = "$(awk '$1 == "reaped" { print $2 }' "$debug/kwaitd/stats")" ]
}
at_rest() { ! runs leaker && ! runs orphan && drained; }

# init NAME: start one in a pid namespace and cgroup of its own, as $init
init()
{
	sh -c "echo \$\$ >$cgroup/cgroup.procs; exec unshare -p -f $dir/$1" &
	unshare=$!
	soon has_child $unshare
	init=$(child_of $unshare)
	init=${init% }
	soon grep -qx "$1" "/proc/$init/comm"
}

mkdir "$dir" "$cgroup"
mkfifo "$dir/never" "$dir/end"
: >"$dir/out"
: >"$dir/err"
# An init that waits for nobody
program neglect <<-EOF
	exec 3<>$dir/never
	$dir/spring &
	while :; do read -r _ <&3; done
EOF
# When its parent waits for nobody: three orphans, then more while there is "go"
program spring <<-EOF
	until [ -e $dir/start ]; do sleep 0.05; done
	for _ in 1 2 3; do (. $dir/leaker); done
	while :; do
		[ ! -e $dir/go ] || (. $dir/leaker)
		sleep 0.05
	done
EOF
# No more than two forks, so that there are many of them
program leaker <<-EOF
	printf leaker >/proc/self/comm
	read -r leaker _ </proc/self/stat
	(printf orphan >/proc/self/comm; while [ -e /proc/\$leaker ]; do :; done; exit 3) &
EOF
program systemd <<-EOF
	exec 3<>$dir/never
	while :; do read -r _ <&3; done
EOF
program runner <<-EOF
	read -r _ <$dir/end
EOF

# Arguments

misused()
{
	while read -r line; do
		# shellcheck disable=SC2086 # words
		timeout "$patience" "$kwaitctl" $line >"$dir/out" 2>"$dir/err"
		if [ $? != 2 ] || [ -s "$dir/out" ] ||
			! grep -qE '^(kwaitctl|usage: kwaitctl)' "$dir/err"; then
			echo "# kwaitctl $line"
			return 1
		fi
	done
}
check "wrong usage is status 2, and explained" shown misused <<EOF

nonsense
help nonsense
status x
status --nonsense
stat x
stat -1
stat 0.009
stat 1 0
stat 1 2 3
stat 1 2147483648
stat -pc
stat -pj
stat -p 1
top x
top -d 0.09
top -n 0
latency x
events x
events -n 0
events -n -1
events -n
list x
adopt
adopt 0
adopt 1 2
adopt x
release
release -1
reap
reap -o x 1
reap 1x
zombies x
zombies -o nan
run
run --nonsense true
EOF
check "its reason" shown refuses 2 "kwaitctl stat: --prometheus goes with nothing else" stat -p -c
check "getopt's, too" shown refuses 2 "kwaitctl reap: unrecognized option" reap --nonsense 1
check "a count of 0" shown refuses 2 "'0' is no number from 1 to 2147483647" events -n 0
check "what is no subcommand" shown refuses 2 "there is no 'nonsense'" nonsense
helps()
{
	for sub in status stat top latency events list adopt release reap zombies run; do
		prints "$sub" --help && grep -q "^usage: kwaitctl $sub" "$dir/out" &&
			mv "$dir/out" "$dir/help" && prints help "$sub" &&
			cmp "$dir/help" "$dir/out" || return
		"$kwaitctl" help | grep -q "^  $sub  " || return
	done
}
check "help" shown helps
helps_itself()
{
	prints --help && mv "$dir/out" "$dir/help" && prints help help &&
		cmp "$dir/help" "$dir/out"
}
check "help help" shown helps_itself
prints --version && has 'kwaitctl [0-9]+\.[0-9]+' && mv "$dir/out" "$dir/help" &&
	prints -V && cmp "$dir/help" "$dir/out"
result $? "--version"

# Zombies

init systemd
systemd=$init unshare2=$unshare
init neglect
: >"$dir/start"
check "three orphans have become zombies" soon has_zombies 3
tells_zombies()
{
	prints zombies && awk -v p="$init" '$4 == p { row = NR
		n = $1 == 3 && $5 == "neglect" && $6 == "caught" && $7 == "/kwaitctl" }
		row && NR == row + 1 { n += index($0, "'\''kwaitctl adopt " p "'\''") > 0 }
		END { exit n < 2 }' "$dir/out"
}
check "zombies: how many, whose, where, and what to do" shown soon tells_zombies
prints zombies --json && is_json <"$dir/out" && holds "\"parent\":{\"pid\":$init,\
\"comm\":\"neglect\",\"state\":\"S\",\"cgroup\":\"/kwaitctl\",\"init\":true,\
\"adopted\":false,\"sigchld\":\"caught\"},\"count\":3,\"oldest\":" &&
	[ "$(grep -c '"comm": "orphan"' "$dir/out")" = 3 ]
check "zombies --json" shown [ $? = 0 ]
prints zombies --older-than 1000000 && ! grep -q neglect "$dir/out" &&
	soon says neglect zombies -o 0.5
check "zombies --older-than" shown [ $? = 0 ]

# Adoption

says "not adopted" release "$init"
result $? "release of what is not adopted"
says "no such process" adopt 999999
result $? "adopt of nobody"
says "not a reaper" adopt $$
result $? "adopt of who is no reaper"
check "reap of what is not adopted" shown refuses 1 "not adopted" reap "$init"
refuses 1 "$systemd is systemd" adopt "$systemd" && ! says "$systemd" list
check "adopt of systemd" shown [ $? = 0 ]
prints adopt --force "$systemd" && has "adopted $systemd \(systemd\): 0 children remain its own" &&
	says "$systemd" list && prints release "$systemd"
check "adopt of systemd by force" shown [ $? = 0 ]
prints adopt --json "$init" && json_lines 1 &&
	has "\{\"pid\":$init,\"own\":1,\"zombies\":3\}"
check "adopt --json" shown [ $? = 0 ]
check "adopt again" shown refuses 1 already adopt "$init"
prints reap -n -o 0 "$init" && has "3 zombies of $init \(neglect\) would be released" &&
	has_zombies 3
check "reap --dry-run counts, and leaves them" shown [ $? = 0 ]
prints reap --json -n -o 0 "$init" &&
	has "\{\"pid\":$init,\"zombies\":3,\"released\":false\}" && json_lines 1 &&
	has_zombies 3
check "reap --dry-run --json" shown [ $? = 0 ]
prints reap -o 1000000 "$init" && has "0 zombies of $init \(neglect\) released" &&
	has_zombies 3
check "reap --older-than" shown [ $? = 0 ]
for args in status "status -j" stat "stat -j" "stat -p" "stat -c" latency "latency -j" list \
	"list -j" zombies "zombies -j" "top -b -n 1 -d 0.1" "reap -n $init" \
	"reap -nj $init" "run true" help "stat --help" --version; do
	# shellcheck disable=SC2086 # words
	full $args || break
done
check "a full disk is a failure: $args" shown [ "$args" = --version ]
prints reap --json -o 0 "$init" &&
	has "\{\"pid\":$init,\"zombies\":3,\"released\":true\}" && json_lines 1 &&
	has_zombies 0
check "reap --json" shown [ $? = 0 ]
prints list && awk -v p="$init" 'NR == 1 && $1 $2 $3 $4 $5 $6 $7 == \
	"PIDCOMMORPHANSSWEPTOWNGRACEFLAGS" { head = 1 }
	$1 == p && $2 == "neglect" && $3 == 0 && $4 == 3 && $5 == 1 && $6 == 0 &&
		$7 == "init" { row = 1 } END { exit !(head && row) }' "$dir/out"
check "list" shown [ $? = 0 ]
prints list --json && is_json <"$dir/out" && holds "{\"pid\":$init,\"comm\":\"neglect\",\
\"orphans\":0,\"swept\":3,\"own\":1,\"grace\":0,\"flags\":[\"init\"]}"
check "list --json" shown [ $? = 0 ]

# Live

: >"$dir/go"
offload=$(cat $params/offload)
leaks()
{
	prints top -b -n 1 -d 0.5 && awk '/LEFT BY/ { below = 1 }
		below && $3 == "leaker" && $1 > 0 && $2 == "100.0%" { found = 1 }
		END { exit !found }' "$dir/out"
}
tops()
{
	leaks && awk -v p="$init" '$1 == "queued" && $NF > 0 { queued = 1 }
		$1 == p && $2 == "neglect" && $3 > 0 && $4 == 0 { row = 1 }
		END { exit !(queued && row) }' "$dir/out"
}
check "top: rates, the reaper, who leaks" shown soon tops
echo none >$params/offload
# Those that died before
soon drained
check "top: who leaks, of what is released at once" shown soon leaks
others() { [ "$(awk '/^others/ { print ($4 + 0 > 0) }' "$dir/out")" = 1 ] || { leaks; false; }; }
check "top: those released at once" shown soon others
# One that kwaitd had no part in is told of as well.
line="[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6} orphan [0-9]+ \(orphan\) in ns [0-9]+, child of \
[0-9]+ \(leaker\), exited 3"
cg="cgroup $(stat -c %i "$cgroup")"
# The first of them may have died before the parameter was written.
events() { prints events -n 3 && [ "$(wc -l <"$dir/out")" = 3 ] && has "$line, $1, $cg"; }
check "events, of an orphan released at once" shown soon events "released at once: offload"
echo all >$params/offload
check "events" shown soon events "released by (kwaitd/[0-9]+|CPU [0-9]+ instead of kwaitd/[0-9]+) \
after [0-9.]+[mun]?s"
echo "$offload" >$params/offload
all_fields()
{
	before=$(date +%s)
	prints events --json -n 4 && json_lines 4 &&
		awk -v from="$before" -v to="$(date +%s)" -v cg="${cg#* }" '
	function val(name) {
		if (!match($0, "\"" name "\":[^,}]*"))
			return "none"
		return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
	}
	{
		good = val("event") ~ /^"kwaitd_(reap|inline)"$/
		good = good && val("time") >= from - 1 && val("time") <= to + 1
		good = good && val("pid") > 0 && val("pid") == val("tgid")
		good = good && val("comm") == "\"orphan\"" && val("exit_code") == 3 * 256
		good = good && val("orphan") == "true" && val("ppid") > 0
		good = good && val("pcomm") == "\"leaker\"" && val("cgroup") == cg
		good = good && val("ns_pid") > 0 && val("ns_pid") != val("pid")
		n += good
	}
	END { exit n != 4 }' "$dir/out"
}
# The time is of two clocks, one of which may be read later than the other.
check "events --json" shown soon all_fields
# queued first, then released
all_events()
{
	prints events --all -n 8 && awk '/ queued, backlog [0-9]+$/ { q[$3] = 1 }
		/ released by / && q[$3] { n++ } END { exit !n }' "$dir/out"
}
check "events --all" shown soon all_events
check "events: a full disk" shown full events -n 1
rates()
{
	prints stat --json 1 2 && json_lines 2 && awk '
	function val(name) {
		match($0, "\"" name "\":[^,}]*")
		return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
	}
	NR == 1 { then = val("orphans"); first = val("interval") val("rate") }
	NR == 2 {
		now = val("orphans"); s = val("interval")
		sub(/.*"rate":/, "")
		off = val("orphans") - (now - then) / s
	}
	END { exit first != "nullnull" || now <= then || s < 1 || off > 0.01 || off < -0.01 }' \
		"$dir/out"
}
# None may have died meanwhile.
check "stat --json: rates are of what was added" shown soon rates

# signalled SIGNAL COMMAND...: it ends by that as if it was done
signalled()
{
	signal=$1
	shift
	: >"$dir/out"
	"$kwaitctl" "$@" >>"$dir/out" 2>"$dir/err" &
	pid=$!
	soon test -s "$dir/out"
	kill "-$signal" "$pid"
	wait "$pid" && [ ! -s "$dir/err" ] &&
		[ ! -e "/sys/kernel/tracing/instances/kwaitctl-$pid" ]
}
check "a signal ends stat" shown signalled TERM stat 0.1
check "a signal ends top" shown signalled HUP top -b -d 0.1
check "a signal ends events" shown signalled TERM events
grows() { [ "$(wc -l <"$dir/out")" -gt "$1" ]; }
outlives()
{
	: >"$dir/out"
	(trap '' HUP; exec "$kwaitctl" stat 0.05 >>"$dir/out" 2>"$dir/err") &
	pid=$!
	soon test -s "$dir/out"
	kill -HUP "$pid"
	soon grows $(($(wc -l <"$dir/out") + 4))
	status=$?
	kill -TERM "$pid"
	wait "$pid" && [ "$status" = 0 ]
}
check "but for one that is ignored" shown outlives

# At rest

rm "$dir/go"
check "it is at rest" soon at_rest
prints stat && [ "$(wc -l <"$dir/out")" = 3 ] && awk '
	NR == FNR { v[$1] = $2; if (/^inline_/) v["inline"] += $2; next }
	FNR == 2 { head = $0 }
	FNR == 3 {
		exit !(NF == 12 && $1 == v["marked_threads"] &&
			$2 == v["marked_processes"] && $3 == v["queued_threads"] &&
			$4 == v["queued_processes"] && $5 == v["queued_orphans"] &&
			$5 > 0 && $6 == v["reaped"] && $7 == v["stolen"] &&
			$8 == v["collected"] && $9 == v["swept"] && $10 == v["inline"] &&
			$10 > 0 && $11 == v["wakeups"] && $12 == v["backlog"])
	}' "$debug/kwaitd/stats" "$dir/out"
check "stat: totals" shown [ $? = 0 ]
prints stat 0.1 2 && [ "$(wc -l <"$dir/out")" = 4 ] && awk 'NR == 3 && $6 > 0 { total = 1 }
	NR == 4 { for (i = 1; i <= NF; i++) sum += $i } END { exit sum || NF != 12 || !total }' \
	"$dir/out"
check "stat INTERVAL COUNT: no rates" shown [ $? = 0 ]
reaped=$(awk '$1 == "reaped" { print $2 }' "$debug/kwaitd/stats")
prints stat -c && awk -v all="$reaped" -v cpus="$(nproc)" 'NR > 2 { n += $1 == NR - 3; sum += $7 }
	END { exit n != cpus || NR != cpus + 2 || sum != all }' "$dir/out"
check "stat --per-cpu: a line for each, together all" shown [ $? = 0 ]
prints stat -cj && json_lines 1 && [ "$(grep -o '"cpu":' "$dir/out" | wc -l)" = "$(nproc)" ] &&
	grep -o '"reaped":[0-9]*' "$dir/out" | awk -F: -v all="$reaped" '{ sum += $2 }
		END { exit sum != all }'
check "stat --per-cpu --json" shown [ $? = 0 ]
all_counters()
{
	prints stat --json && json_lines 1 && holds '"rate":null' || return
	while read -r name val; do
		grep -q "[{,]\"$name\":${val}[,}]" "$dir/out" || return
	done <"$debug/kwaitd/stats"
}
check "stat --json: all counters" shown all_counters
prints stat --prometheus && awk -v all="$reaped" -v orphans="$(stat_of queued_orphans)" \
	-v ns="$(stat_of reaped_ns)" -v inl="$(stat_of inline_offload)" '
	$1 == "kwaitd_reaped_total" { n += $2 == all }
	$1 == "kwaitd_queued_total{kind=\"orphans\"}" { n += $2 == orphans }
	$1 == "kwaitd_inline_total{reason=\"offload\"}" { n += $2 == inl }
	$1 == "kwaitd_latency_seconds_bucket{le=\"+Inf\"}" { n += $2 == all }
	$1 == "kwaitd_latency_seconds_count" { n += $2 == all }
	$1 == "kwaitd_latency_seconds_sum" { d = $2 - ns / 1e9; n += d < 1e-6 && d > -1e-6 }
	$1 == "kwaitd_backlog" { n += $2 == 0 }
	/^kwaitd_latency_seconds_bucket/ { if ($2 < last) bad = 1; last = $2 }
	/reaped_ns/ || !/^(# (HELP|TYPE) )?kwaitd_[a-z_0-9]+(\{[a-z]+="[^"]+"\})? / { bad = 1 }
	END { exit n != 7 || bad }' "$dir/out"
check "stat --prometheus" shown [ $? = 0 ]
# A full bar, and the numbers of all
prints latency && awk -v all="$reaped" '$2 == "-" { sum += $4; bars += /\|#+$/; rows++ }
	/ released: p50 < .*, p99 < .*, max .* to / { said = $1 }
	END { exit !rows || bars > rows || sum != all || said != all }' "$dir/out"
check "latency" shown [ $? = 0 ]
prints latency --json && is_json <"$dir/out" && tr -d ' ' <"$dir/out" | awk -F '[:,]' -v all="$reaped" '
	/"count":/ { if (!n++) said = $2; else sum += $2 }
	/"p50_ns_below"/ { p50 = $2 }
	/"p99_ns_below"/ { p99 = $2 }
	/"max_ns_below"/ { max = $2 }
	/"ns_to"/ { to = $2 }
	END { exit !(said == all && sum == all && p50 > 0 && p50 <= p99 && p99 <= max && max == to) }'
check "latency --json" shown [ $? = 0 ]
hooks=$(($(wc -l <"$debug/kwaitd/hooks") - 1))
tells_status()
{
	prints status && has "module +loaded, version 1 of its interface" &&
		has "features.* adopt" && has "adopted +1" && has "own_children +1" &&
		has "hooks +$hooks, 0 not armed" || return
	for param in "$params"/*; do
		has "(parameters)? +${param##*/}=$(cat "$param")" || return
	done
	while read -r hook symbol armed _; do
		[ "$armed" = armed ] || has "$hook +$symbol +yes +[0-9]+" || return
	done <"$debug/kwaitd/hooks"
}
check "status" shown tells_status
tells_status_json()
{
	prints status --json && is_json <"$dir/out" && holds '{"loaded":true,"version":1,"features":[' &&
		holds '"adopted":1,"now":{' && ! holds '"armed":false' &&
		[ "$(grep -c '"armed": true' "$dir/out")" = "$hooks" ] || return
	for param in "$params"/*; do
		holds "\"${param##*/}\":\"$(cat "$param")\"" || return
	done
}
check "status --json" shown tells_status_json

# Refused: by root's files, and without them

umount $debug
check "stat without debugfs" shown refuses 1 "debugfs is not mounted: 'mount -t debugfs" stat
check "top without debugfs" shown refuses 1 "debugfs is not mounted" top -b -n 1
"$kwaitctl" status >"$dir/out" 2>"$dir/err"
[ $? = 1 ] && has "module +loaded,.*" && grep -q "debugfs is not mounted" "$dir/err"
check "status without debugfs" shown [ $? = 0 ]
prints list && awk -v p="$init" '$1 == p { found = 1 } END { exit !found }' "$dir/out"
check "list without debugfs" shown [ $? = 0 ]
mount -t debugfs debugfs $debug

# It looks it up.
passwd=
if [ ! -e /etc/passwd ]; then
	passwd=/etc/passwd
	echo nobody:x:65534:65534::/:/bin/sh >$passwd
fi
program nobody <<-EOF
	exec start-stop-daemon -S -q -c 65534:65534 -x $kwaitctl -- "\$@"
EOF
root=$kwaitctl kwaitctl=$dir/nobody
if prints --version; then
	check "stat as nobody" shown refuses 1 "only root may read it" stat
	check "events as nobody" shown refuses 1 "only root may trace" events
	check "adopt as nobody" shown refuses 1 "not allowed" adopt "$init"
	check "release as nobody" shown refuses 1 "not allowed" release "$init"
	check "list as nobody" says "$init" list
	timeout "$patience" "$kwaitctl" run -p sh -c 'exit 9' >"$dir/out" 2>"$dir/err"
	check "run as nobody" shown [ $? = 9 ]
else
	for sub in stat events adopt release list run; do
		skip_one "$sub as nobody" "there is no way to become it"
	done
fi
kwaitctl=$root
[ -z "$passwd" ] || rm "$passwd"

# An end, and run

check "release" shown prints release "$init"
says "$init" list
check "it is not adopted then" [ $? = 1 ]
check "release again" shown refuses 1 "not adopted" release "$init"
# Nobody waits in there, so that an ordinary one would remain.
nsenter -t "$init" -p "$dir/leaker"
check "an orphan is a zombie again" soon has_zombies 1
timeout "$patience" nsenter -t "$init" -p "$kwaitctl" run "$dir/runner" \
	>"$dir/out" 2>"$dir/err"
status=$?
soon runs runner
pid=$(grep -lsx runner /proc/[0-9]*/comm | cut -d/ -f3)
[ "$status" = 0 ] && awk '/^NSpid:/ { print $NF }' "/proc/$pid/status" | cmp - "$dir/out"
check "run prints the process id" shown [ $? = 0 ]
[ "$(awk '{ print $4 }' "/proc/$pid/stat")" = "$init" ]
check "and does not wait for it" [ $? = 0 ]
echo >"$dir/end"
is_gone() { [ ! -e "/proc/$pid" ]; }
soon is_gone && has_zombies 1
check "and no zombie is left of it" [ $? = 0 ]
timeout "$patience" "$kwaitctl" run --pidfd -- sh -c 'exit 9' >"$dir/out" 2>"$dir/err"
[ $? = 9 ] && has '[0-9]+'
check "run --pidfd" shown [ $? = 0 ]
# shellcheck disable=SC2016 # expanded there
timeout "$patience" "$kwaitctl" run --pidfd -- sh -c 'kill -9 $$' >"$dir/out" 2>"$dir/err"
check "run --pidfd, of one that is killed" shown [ $? = 137 ]
check "run of nothing" shown refuses 127 "/nonexistent: No such file or directory" run /nonexistent
check "run --pidfd of nothing" shown refuses 127 "kwaitctl run: /nonexistent: " run -p /nonexistent
touch "$dir/plain"
check "run of what cannot be executed" shown refuses 127 "Permission denied" run "$dir/plain"

kill -KILL "$init" "$systemd"
wait $unshare $unshare2
rmdir "$cgroup"
rm -r "$dir"
exit $fail
