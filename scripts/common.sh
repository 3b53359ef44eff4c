# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
# Shared by several scripts: the required packages and how to get them. To be sourced.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
policy_rc=${PERCORE_POLICY_RC:-/usr/sbin/policy-rc.d} # tests set another one
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# One line per need: the Debian package, and how to check for it: a command, a pkg-config module, a
# header or a file.
build_needs='
gcc             command gcc
libc6-dev       header  stdlib.h
ninja-build     command ninja
meson           command meson
pkgconf         command pkg-config
libdpdk-dev     module  libdpdk
libnuma-dev     module  numa
libpcap-dev     module  libpcap
libc-ares-dev   module  libcares
libseccomp-dev  module  libseccomp
nettle-dev      module  nettle
libknot-dev     module  libzscanner
'
demo_needs='
iproute2        command ip
curl            command curl
'
test_needs='
python3         command python3
libcunit1-dev   module  cunit
clang           command clang
clang-format-14 command clang-format-14
binutils        command nm
git             command git
valgrind        command valgrind
libhttp-parser-dev header http_parser.h
'
e2e_needs='
iproute2        command ip
iputils-ping    command ping
iputils-arping  command arping
curl            command curl
wrk             command wrk
netbase         file    /etc/services
apache2-utils   command ab
netcat-openbsd  command nc
nmap            command nmap
nftables        command nft
ethtool         command ethtool
tcpdump         command tcpdump
tshark          command tshark
dnsmasq-base    command dnsmasq
bind9-dnsutils  command dig
traceroute      command traceroute
iputils-tracepath command tracepath
nginx-light     command nginx
nsd             command nsd
redis-server    command redis-server
redis-tools     command redis-benchmark
lighttpd        command lighttpd
memcached       command memcached
haproxy         command haproxy
iperf3          command iperf3
wget            command wget
socat           command socat
procps          command sysctl
strace          command strace
jq              command jq
libsystemd-dev  module  libsystemd
golang-go       command go
golang-golang-x-net-dev file /usr/share/gocode/src/golang.org/x/net/nettest
'

elsewhere_needs='
debootstrap     command debootstrap
util-linux      command unshare
git             command git
'
goodput_needs='
python3         command python3
iproute2        command ip
ethtool         command ethtool
'
bench_needs='
python3         command python3
dpdk-dev        command dpdk-testpmd
gnuplot-nox     command gnuplot
procps          command sysctl
nginx-light     command nginx
redis-server    command redis-server
iproute2        command ip
ethtool         command ethtool
'

say() {
	printf '%s\n' "$*"
}

# die MESSAGE: prints one line on stderr and exits with status 2.
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

is_root() {
	[ "$(id -u)" -eq 0 ]
}

# has KIND NAME: whether a need is met on this machine, however it was installed.
has() {
	case $1 in
	command) command -v "$2" >/dev/null 2>&1 ;;
	module) command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "$2" ;;
	file) [ -e "$2" ] ;;
	header) [ -e "/usr/include/$2" ] || [ -e "/usr/local/include/$2" ] ;;
	*) die "unknown kind of requirement: $1" ;;
	esac
}

# missing NEEDS: prints the packages that are missing, on one line.
missing() {
	local package kind name list=''

	while read -r package kind name; do
		[ -z "$package" ] || has "$kind" "$name" || list="$list $package"
	done <<<"$1"
	printf '%s' "${list# }"
}

# apt_quietly ARGUMENT...: runs apt-get without questions, waiting for another apt to finish. Its last lines are
# shown if it fails.
apt_quietly() (
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" </dev/null >"$log" 2>&1 || {
		tail -n 15 "$log" >&2
		exit 1
	}
)

# apt_update: reads the lists of packages, once.
lists_are_read=
apt_update() {
	[ -z "$lists_are_read" ] || return 0
	apt_quietly update || die "apt-get update failed; see above, then run this again"
	lists_are_read=yes
}

# apt_install PACKAGE...: servers among the packages are not started: Debian asks policy-rc.d (101:
# forbidden by policy). A subshell, so that the policy is removed even if this is interrupted; if it
# stayed, the machine's own servers would not start any more.
apt_install() (
	made=''
	trap 'rm -f ${made:+"$made"}' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	if [ ! -e "$policy_rc" ]; then
		made=$policy_rc
		printf '#!/bin/sh\nexit 101\n' >"$policy_rc"
		chmod 755 "$policy_rc"
	fi
	apt_quietly install --no-install-recommends "$@"
)

# need NEEDS: installs what is missing, or says what to do and exits.
need() {
	local list
	local -a packages

	list=$(missing "$1")
	[ -n "$list" ] || return 0
	command -v apt-get >/dev/null 2>&1 ||
		die "missing: $list (names of Debian packages); install them with this system's package manager"
	is_root || die "missing: $list; installing needs root: sudo apt-get install --no-install-recommends $list"
	say "Installing: $list"
	read -ra packages <<<"$list"
	apt_update
	apt_install "${packages[@]}" ||
		die "apt-get could not install: $list; see above, then run this again"
	list=$(missing "$1")
	[ -z "$list" ] || die "still missing after the installation: $list"
}

# want NEEDS: installs what is missing of that, except packages which this release of the system does not have.
want() {
	local list package kind name had='' absent=''

	list=$(missing "$1")
	[ -n "$list" ] || return 0
	if is_root && command -v apt-get >/dev/null 2>&1; then
		apt_update
		for package in $list; do
			[ -z "$(apt-cache show "$package" 2>/dev/null)" ] && absent="$absent $package"
		done
	fi
	[ -z "$absent" ] || say "Not among this system's packages:$absent; the tests that use them are skipped."
	while read -r package kind name; do
		[[ " $absent " == *" $package "* ]] || had="$had$package $kind $name"$'\n'
	done <<<"$1"
	need "$had"
}

# build DIR TARGETS [meson options]: configures if necessary, with sanitizers if it is build-asan, and
# compiles, everything if TARGETS is empty; the log is shown only on failure. The build directory is
# locked meanwhile, since two scripts may be started at the same time.
build() {
	local dir=${1%/} log lock
	local -a targets

	read -ra targets <<<"$2"
	shift 2
	mkdir -p "$dir" 2>/dev/null && [ -w "$dir" ] ||
		die "cannot write $dir; if another user (root?) created it, remove it or run this as that user"
	exec {lock}>"$dir/.lock"
	flock "$lock"
	log=$(mktemp)
	if [ ! -e "$dir/build.ninja" ]; then
		# whichever script makes this directory, the others expect sanitizers there; line numbers only
		[ "${dir##*/}" != build-asan ] ||
			set -- -Db_sanitize=address,undefined -Db_lundef=false -Ddebug=true -Doptimization=1 -Dc_args=-g1 "$@"
		# not for everybody: a newer compiler may have warnings that this one has not
		[ "${CI:-}" != true ] || set -- -Dwerror=true "$@"
		meson setup "$@" "$dir" "$top" </dev/null >"$log" 2>&1 || {
			cat "$log" >&2
			rm -f "$log"
			die "meson could not configure $dir; remove that directory and run this again"
		}
	fi
	meson compile -C "$dir" "${targets[@]}" </dev/null >"$log" 2>&1 || {
		tail -n 60 "$log" >&2
		rm -f "$log"
		die "the build in $dir failed; see above"
	}
	rm -f "$log"
	exec {lock}<&-
}

# is_gcc: whether meson will use gcc.
is_gcc() {
	${CC:-cc} --version 2>/dev/null | grep -q 'Free Software Foundation'
}

# free_hugepages: the number of free 2 MiB pages.
free_hugepages() {
	cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages 2>/dev/null || echo 0
}
