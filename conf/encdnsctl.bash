# bash completion for encdnsctl                                 -*- shell-script -*-

_encdnsctl_connections() {
	encdnsctl status --json 2>/dev/null | sed -n 's/^    "name":"\(.*\)",$/\1/p;s/^      "name":"\(.*\)",$/\1/p'
}

_encdnsctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]-}
	local verbs="status check monitor block release flush log-level pin export decode encode help --help --version" words=

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$verbs
	elif [ "$prev" = --file ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	elif [ "$prev" = --format ]; then
		words="mobileconfig firefox chrome"
	else
		case $verb in
		status | monitor) words="--json $(_encdnsctl_connections)" ;;
		check) words="--json --gateway --file $(_encdnsctl_connections)" ;;
		block | release) words=$(_encdnsctl_connections) ;;
		log-level) words="--json emerg alert crit err warning notice info debug" ;;
		export) words="--format --file" ;;
		pin)
			mapfile -t COMPREPLY < <(compgen -f -W --json -- "$cur")
			return
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _encdnsctl encdnsctl
