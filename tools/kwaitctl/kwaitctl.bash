# SPDX-License-Identifier: GPL-2.0
# bash completion for kwaitctl(8)
# shellcheck shell=bash

_kwaitctl_pids()
{
	local pids

	case $1 in
	adopt)	pids=$(ps -eo pid=) ;;
	# Whom it takes is adopted.
	*)	pids=$(kwaitctl list 2>/dev/null | awk 'NR > 1 { print $1 }') ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$pids" -- "$cur")
}

_kwaitctl_options()
{
	case $1 in
	status | list | latency) echo --json ;;
	stat)	echo --per-cpu --json --prometheus ;;
	top)	echo --batch --delay= --count= ;;
	events)	echo --all --json --count= ;;
	adopt)	echo --force --json ;;
	reap)	echo --older-than= --dry-run --json ;;
	zombies) echo --older-than= --json ;;
	run)	echo --pidfd ;;
	esac
	echo --help
}

# What 'run' runs is completed as if it stood alone.
_kwaitctl_run()
{
	local i

	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || break
	done
	if ((i < COMP_CWORD)) || [[ $cur != -* ]]; then
		_command_offset "$i"
		return 0
	fi
	return 1
}

_kwaitctl()
{
	local subcommands="status stat top latency events list adopt release
		reap zombies run help"
	local cur=${COMP_WORDS[COMP_CWORD]} sub=${COMP_WORDS[1]-}

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$subcommands --version --help" \
			-- "$cur")
		return
	fi
	if [[ $sub == help ]]; then
		((COMP_CWORD > 2)) ||
			mapfile -t COMPREPLY < <(compgen -W "$subcommands" -- "$cur")
		return
	fi
	if [[ $sub == run ]] && _kwaitctl_run; then
		return
	fi
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_kwaitctl_options "$sub")" \
			-- "$cur")
		[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
		return
	fi
	case $sub in
	adopt | release | reap) _kwaitctl_pids "$sub" ;;
	esac
}

complete -F _kwaitctl kwaitctl
