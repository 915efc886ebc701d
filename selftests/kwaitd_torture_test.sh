#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A short torture: with the module coming and going, and with it there all the time,
# so that its counters can be held against the ledger.
# Longer ones: tools/torture, or kwaitd_torture --help.
cd "$(dirname "$0")" || exit 1
log=/tmp/kwaitd_torture.log

echo "TAP version 13"
if [ ! -x ./kwaitd_torture ]; then
	echo "1..0 # SKIP there is no kwaitd_torture"
	exit 4
fi
echo "1..2"
n=0 fail=0
check() # TEXT OPTIONS...
{
	text=$1
	shift
	n=$((n + 1))
	if ./kwaitd_torture "$@" >$log 2>&1; then
		echo "ok $n $text"
	else
		echo "not ok $n $text"
		fail=1
	fi
	# with the seed, and the figures
	sed 's/^#* */# /' $log
}

check "nothing is lost while kwaitd comes and goes" --seconds 45
check "and the module counts the same" --seconds 30 --without module
rm -f $log
exit $fail
