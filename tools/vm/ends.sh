# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For scripts that have guests in the background: when such a script is told to end it
# ends them, too. The shell has what runs in the background ignore Ctrl-C.

descendants()
{
	local child
	for child in $(pgrep -P "$1"); do
		echo "$child"
		descendants "$child"
	done
}
trap 'kill $(descendants $$) 2>/dev/null || :; exit 143' TERM HUP INT
