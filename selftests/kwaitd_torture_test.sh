#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A short torture: with the module coming and going, and with it there all the time, so
# that it must have counted exactly what the ledger has. Each for KWAITD_TORTURE seconds,
# 10 if that is not set. Longer ones: tools/torture, or kwaitd_torture --help.
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
