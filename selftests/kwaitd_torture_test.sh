#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A short torture, twice: with the module coming and going, and with the module loaded all
# the time, so that it must have counted exactly what the torture has.
#
# If this fails, tasks are lost in some combination of events that no other test has.
#
# Each takes KWAITD_TORTURE seconds, or 10. For longer ones see tools/torture, and
# kwaitd_torture --help.
cd "$(dirname "$0")" || exit 1
. ./tap.sh
log=/tmp/kwaitd_torture.log
seconds=${KWAITD_TORTURE:-10}

if [ ! -x ./kwaitd_torture ]; then
	skip "there is no kwaitd_torture"
fi
if [ ! -e /sys/module/kwaitd ]; then
	skip "kwaitd is not loaded"
fi
plan 2
tortured()
{
	./kwaitd_torture "$@" >$log 2>&1
	status=$?
	# with the seed, and the figures
	sed 's/^#* */# /' $log
	return $status
}

check "nothing is lost while kwaitd comes and goes" \
	tortured --seconds "$seconds"
check "and the module counts the same" tortured --seconds "$seconds" --without module
rm -f $log
exit $fail
