# ENCDNS_DIR(NAME, WHAT, DEFAULT, [PKG-CONFIG VARIABLE OF SYSTEMD])
# A folder that belongs to another package: --with-NAME, else, where we go to /usr as that package
# does, what systemd's pkg-config file says, else the default below our prefix. NAME is substituted.
AC_DEFUN([ENCDNS_DIR], [
	AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1=DIR], [where $2])], [$1=$withval], [
		$1=
		m4_ifval([$4], [AS_IF([test "x$prefix" = x/usr],
			[$1=`$PKG_CONFIG --variable=$4 systemd 2>/dev/null`])])
		AS_IF([test -z "$$1"], [$1='$3'])
	])
	AC_SUBST([$1])
])

AC_DEFUN([ENCDNS_DIRS], [
	ENCDNS_DIR([systemdsystemunitdir], [units of systemd go], [${prefix}/lib/systemd/system],
		[systemdsystemunitdir])
	ENCDNS_DIR([systemdnetworkdir], [files of systemd-networkd go],
		[${prefix}/lib/systemd/network], [systemdnetworkdir])
	ENCDNS_DIR([sysusersdir], [files of systemd-sysusers go], [${prefix}/lib/sysusers.d],
		[sysusersdir])
	ENCDNS_DIR([tmpfilesdir], [files of systemd-tmpfiles go], [${prefix}/lib/tmpfiles.d],
		[tmpfilesdir])
	ENCDNS_DIR([dbusdatadir], [the bus's system.d, system-services and interfaces are],
		[${datadir}/dbus-1])
	ENCDNS_DIR([polkitrulesdir], [rules of polkit go], [${datadir}/polkit-1/rules.d])
	ENCDNS_DIR([networkmanagerconfdir], [drop-ins of NetworkManager go],
		[${prefix}/lib/NetworkManager/conf.d])
])
