#compdef encdnsctl

_encdnsctl_connections() {
	local -a connections
	connections=(${(f)"$(encdnsctl status --json 2>/dev/null | sed -n 's/^      "name":"\(.*\)",$/\1/p')"})
	_values connection $connections
}

_encdnsctl() {
	local -a verbs
	verbs=(
		'status:what is in force, and why'
		'check:what is wrong, and what to do'
		'monitor:what changes, and how much is asked'
		'block:lets its names fail until it is back or released'
		'release:lets go of the domains of one that was lost, or is blocked'
		'flush:forgets the answers that systemd-resolved has kept'
		'log-level:how much encdnsd writes into the journal'
		'pin:digests of a certificate, for swanctl.conf'
		'export:the same DNS for other clients of a gateway'
		'decode:attributes in hex to JSON, line by line'
		'encode:JSON to attributes in hex, line by line'
		'help:verbs and examples'
	)
	if (( CURRENT == 2 )); then
		_describe verb verbs
		_arguments '--help[verbs and examples]' '--version[the version]'
		return
	fi
	case $words[2] in
	status | monitor) _arguments '--json[for programs]' '*:connection:_encdnsctl_connections' ;;
	check) _arguments '--json[for programs]' '--gateway[what a gateway hands out]' '--file[a swanctl.conf]:file:_files' \
		'*:connection:_encdnsctl_connections' ;;
	block | release) _arguments '*:connection:_encdnsctl_connections' ;;
	log-level) _arguments '--json[for programs]' '*:level:(emerg alert crit err warning notice info debug)' ;;
	export) _arguments '--format[of the clients]:format:(mobileconfig firefox chrome)' '--file[a swanctl.conf]:file:_files' ;;
	pin) _arguments '--json[for programs]' '*:file or host:_files' ;;
	esac
}

_encdnsctl "$@"
