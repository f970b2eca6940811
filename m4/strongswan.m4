# ENCDNS_STRONGSWAN
#
# Finds what a plugin for an installed strongSwan is built from and goes to. Distributions package no
# headers, so they come from the upstream source of the very version that is installed; what changes
# the layout of strongSwan's structs (ME) and which version the daemon has is read from the installed
# daemon, never guessed. strongSwan's own configure need not have run: plugin/compat.h says why.
#
# Sets STRONGSWAN_CPPFLAGS, STRONGSWAN_LIBS (for programs, the plugin itself links to nothing of
# strongSwan), STRONGSWAN_VERSION, ipseclibdir, ipsecplugindir and strongswanconfdir.
AC_DEFUN([ENCDNS_STRONGSWAN], [
	AC_ARG_WITH([strongswan-headers],
		[AS_HELP_STRING([--with-strongswan-headers=DIR],
			[strongSwan source tree, or installed development headers, of the version installed])],
		[], [with_strongswan_headers=])
	AC_ARG_WITH([ipsec-libdir],
		[AS_HELP_STRING([--with-ipsec-libdir=DIR],
			[folder with libcharon.so.0 @<:@/usr/lib/ipsec@:>@])],
		[], [with_ipsec_libdir=])
	AC_ARG_WITH([plugindir],
		[AS_HELP_STRING([--with-plugindir=DIR],
			[folder that the daemon loads its plugins from @<:@IPSEC-LIBDIR/plugins@:>@])],
		[], [with_plugindir=])

	# The daemon's libraries
	AC_MSG_CHECKING([for libcharon])
	AS_IF([test -n "$with_ipsec_libdir"], [ipseclibdir=$with_ipsec_libdir], [
		ipseclibdir=
		for dir in /usr/lib/ipsec /usr/lib64/ipsec /usr/lib64/strongswan /usr/lib/strongswan /usr/local/lib/ipsec; do
			AS_IF([test -e "$dir/libcharon.so.0"], [ipseclibdir=$dir; break])
		done
	])
	AS_IF([test -z "$ipseclibdir" || test ! -e "$ipseclibdir/libcharon.so.0"],
		[AC_MSG_ERROR([libcharon.so.0 is not in ${ipseclibdir:-any of the usual folders}: install strongSwan's libraries (Debian: apt-get install strongswan-libcharon libstrongswan), or name their folder with --with-ipsec-libdir=DIR, or leave the plugin out with --disable-plugin])])
	AC_MSG_RESULT([$ipseclibdir])
	ipsecplugindir=${with_plugindir:-$ipseclibdir/plugins}

	# Upstream's version of what is installed: no library tells it in 5.9, the programs and the vici plugin do
	AC_MSG_CHECKING([for the version of the strongSwan that is installed])
	encdns_daemon_version=
	for file in "$ipseclibdir/libstrongswan.so.0" "$ipsecplugindir/libstrongswan-vici.so" \
		/usr/sbin/charon-systemd /usr/sbin/swanctl "$ipseclibdir/charon"; do
		AS_IF([test -r "$file"], [
			encdns_daemon_version=`tr '\0' '\n' < "$file" | LC_ALL=C grep -axE '[[0-9]]+\.[[0-9]]+\.[[0-9]]+((dr|rc)[[0-9]]+)?' | head -n 1`
			AS_IF([test -n "$encdns_daemon_version"], [break])
		])
	done
	AC_MSG_RESULT([${encdns_daemon_version:-not to be seen}])

	# The headers
	AC_MSG_CHECKING([for strongSwan's headers])
	encdns_want="strongswan=${encdns_daemon_version:+$encdns_daemon_version-...}"
	AS_IF([test -z "$encdns_daemon_version"], [encdns_want="strongswan=VERSION"])
	encdns_how="get them with \`apt-get source $encdns_want' (deb-src enabled), which also applies the distribution's patches, and point --with-strongswan-headers=DIR at the folder that it makes"
	STRONGSWAN_VERSION=
	AS_IF([test -z "$with_strongswan_headers" && test -r /usr/include/strongswan/library.h],
		[with_strongswan_headers=/usr/include/strongswan])
	AS_CASE([$with_strongswan_headers],
		[''|yes|no], [AC_MSG_ERROR([strongSwan's headers are needed to build the plugin and no package has them: $encdns_how, or leave the plugin out with --disable-plugin])])
	AS_IF([test -r "$with_strongswan_headers/src/libstrongswan/library.h" && test -r "$with_strongswan_headers/src/libcharon/daemon.h"], [
		with_strongswan_headers=`cd "$with_strongswan_headers" && pwd`
		STRONGSWAN_CPPFLAGS="-isystem $with_strongswan_headers/src/libstrongswan -isystem $with_strongswan_headers/src/libcharon"
		STRONGSWAN_VERSION=`sed -n "s/^PACKAGE_VERSION='\(.*\)'/\1/p" "$with_strongswan_headers/configure" 2>/dev/null`
	], [test -r "$with_strongswan_headers/library.h" && test -r "$with_strongswan_headers/daemon.h"], [
		with_strongswan_headers=`cd "$with_strongswan_headers" && pwd`
		STRONGSWAN_CPPFLAGS="-isystem $with_strongswan_headers"
		AS_IF([test -r "$with_strongswan_headers/config.h"],
			[STRONGSWAN_VERSION=`sed -n 's/^.define VERSION "\(.*\)"/\1/p' "$with_strongswan_headers/config.h"`])
	], [AC_MSG_ERROR([no strongSwan headers in $with_strongswan_headers (neither src/libstrongswan/library.h nor library.h): $encdns_how])])
	AS_IF([test -z "$STRONGSWAN_VERSION"], [STRONGSWAN_VERSION=$encdns_daemon_version])
	AS_IF([test -z "$STRONGSWAN_VERSION"],
		[AC_MSG_ERROR([neither the headers in $with_strongswan_headers nor the installed daemon tell their version: use a strongSwan source tree])])
	AC_MSG_RESULT([$with_strongswan_headers ($STRONGSWAN_VERSION)])
	AS_IF([test -n "$encdns_daemon_version" && test "x$STRONGSWAN_VERSION" != "x$encdns_daemon_version"],
		[AC_MSG_ERROR([the headers in $with_strongswan_headers are of strongSwan $STRONGSWAN_VERSION, the daemon that is installed is $encdns_daemon_version: $encdns_how])])

	# Members in the middle of ike_sa_t and daemon_t depend on it
	AC_MSG_CHECKING([whether libcharon has the mediation extension])
	encdns_symbols=`$NM -D "$ipseclibdir/libcharon.so.0" 2>/dev/null`
	AS_CASE([$encdns_symbols],
		[*" T mediation_manager_create"*], [
			AC_MSG_RESULT([yes])
			STRONGSWAN_CPPFLAGS="$STRONGSWAN_CPPFLAGS -DME"
		],
		[*" T libcharon_init"*], [AC_MSG_RESULT([no])],
		[AC_MSG_ERROR([cannot read the symbols of $ipseclibdir/libcharon.so.0 with $NM -D])])

	STRONGSWAN_CPPFLAGS="$STRONGSWAN_CPPFLAGS -DSTRONGSWAN_VERSION=\\\"$STRONGSWAN_VERSION\\\""
	STRONGSWAN_LIBS="-L$ipseclibdir -l:libcharon.so.0 -l:libstrongswan.so.0 -Wl,-rpath,$ipseclibdir"
	strongswanconfdir='${sysconfdir}/strongswan.d'
	AC_SUBST([STRONGSWAN_HEADERS], [$with_strongswan_headers])
	AC_SUBST([STRONGSWAN_CPPFLAGS])
	AC_SUBST([STRONGSWAN_LIBS])
	AC_SUBST([STRONGSWAN_VERSION])
	AC_SUBST([ipseclibdir])
	AC_SUBST([ipsecplugindir])
	AC_SUBST([strongswanconfdir])
])
