# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# TAP, for the tests that are scripts: they end with "exit $fail".
n=0 fail=0

# Seconds to wait for what should take no time at all. A machine may be as late as that,
# and only a test that fails waits so long.
patience=$((120 * ${KWAITD_SLOW:-1}))

echo "TAP version 13"

plan()
{
	echo "1..$1"
}

# skip REASON: all of it
skip()
{
	echo "1..0 # SKIP $1"
	exit 4
}

# skip_one TEXT REASON
skip_one()
{
	n=$((n + 1))
	echo "ok $n $1 # SKIP $2"
}

# result STATUS TEXT
result()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		fail=1
	fi
}

# check TEXT COMMAND...
check()
{
	text=$1
	shift
	"$@"
	result $? "$text"
}

# Try until it succeeds, or $patience ends
soon()
{
	end=$(($(date +%s) + patience))
	until "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return
		sleep 0.05
	done
}

# Show what was printed, to $dir/out and err, if it was wrong
shown()
{
	"$@" && return
	sed 's/^/# /' "$dir/out" "$dir/err"
	return 1
}
