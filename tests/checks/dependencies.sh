#!/usr/bin/env bash
# deploy/install-dependencies: whose mirrors it takes, what it writes and when, whom it asks, and
# which cpp-httplib it and the build are content with. The real apt-get reads made-up lists in a
# folder; what would change the machine is a stand-in that notes how it was called.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
command -v apt-get >/dev/null || { echo "dependencies: no apt-get here, nothing to check"; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=no
# is WHAT EXPECTED GOT
is() {
  [ "$2" != "$3" ] || return 0
  printf 'dependencies: %s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3" >&2
  failed=yes
}

# --- A machine of folders -------------------------------------------------------------------------

# repository FOLDER ORIGIN CODENAME: one that apt can read, signed by nobody.
repository() {
  local folder=$work/$1/dists/$3
  mkdir -p "$folder/main/binary-amd64"
  printf 'Package: one\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: one\nFilename: one.deb\nSize: 1\n' \
    >"$folder/main/binary-amd64/Packages"
  {
    printf 'Origin: %s\nLabel: %s\nSuite: stable\nCodename: %s\n' "$2" "$2" "$3"
    printf 'Date: Sat, 01 Nov 2025 10:00:00 UTC\nArchitectures: amd64\nComponents: main\nSHA256:\n'
    printf ' %s %s main/binary-amd64/Packages\n' "$(sha256sum <"$folder/main/binary-amd64/Packages" | cut -d ' ' -f 1)" \
      "$(stat -c %s "$folder/main/binary-amd64/Packages")"
  } >"$folder/Release"
}
repository debian Debian bookworm
repository backports 'Debian Backports' bookworm-backports
repository vendor 'A Vendor' bookworm
repository vendor 'A Vendor' bookworm-backports

machine=$work/machine
mkdir -p "$machine"/etc/apt/{apt.conf.d,preferences.d,sources.list.d,trusted.gpg.d} \
  "$machine"/var/lib/{apt/lists/partial,dpkg} "$machine"/var/cache/apt/archives/partial \
  "$machine"/var/log/apt "$work/bin"
: >"$machine/var/lib/dpkg/status"
printf 'Dir "%s";\nDir::State::status "%s/var/lib/dpkg/status";\nAPT::Sandbox::User "root";\nAPT::Architecture "amd64";\nAPT::Architectures "amd64";\n' \
  "$machine" "$machine" >"$work/apt.conf"
export APT_CONFIG=$work/apt.conf
printf 'ID=debian\nVERSION_ID=12\n' >"$work/os-release"

# sources FILE: standard input becomes the machine's only list.
sources() {
  rm -f "$machine"/etc/apt/sources.list "$machine"/etc/apt/sources.list.d/*
  cat >"$machine/etc/apt/$1"
  /usr/bin/apt-get update -qq >"$work/update.log" 2>&1 </dev/null || { cat "$work/update.log" >&2; exit 1; }
}

# in_script COMMAND...: as the script's own functions are, in a shell of its own.
in_script() {
  bash -c 'set -euo pipefail
    . "$1"; os_release=$2 apt_folder=$3 debian=file:$4/nothing debian_security=$debian work=
    shift 4; know_release; eval "$*"' _ \
    "$root/deploy/install-dependencies" "$work/os-release" "$machine/etc/apt" "$work" "$@"
}
candidates() { in_script mirrors | tr '\n' ' '; }

# --- Mirrors: by what a repository says of itself ---------------------------------------------------

own="file:$work/nothing "
sources sources.list <<LIST
deb [trusted=yes] file:$work/vendor bookworm main
deb [trusted=yes] file:$work/debian bookworm main
LIST
is "another's mirror stands first" "file:$work/debian $own" "$(candidates)"
sources sources.list.d/vendor.list <<<"deb [trusted=yes] file:$work/vendor bookworm main"
is "another's mirror stands alone" "$own" "$(candidates)"
sources sources.list <<LIST
# deb [trusted=yes] file:$work/debian bookworm main
deb [trusted=yes] file:$work/backports bookworm-backports main
LIST
is "a list that is commented out" "$own" "$(candidates)"
sources sources.list.d/all.sources <<LIST
Types: deb
URIs: file:$work/vendor file:$work/debian/
Suites: bookworm
Components: main
Trusted: yes

Types: deb
Enabled: no
URIs: file:$work/backports
Suites: bookworm-backports
Components: main
Trusted: yes
LIST
is "several in one entry" "file:$work/debian $own" "$(candidates)"

# shellcheck disable=SC2016 # for the script's shell
secrets='apt-get() { for at in http://user:secret@host/debian https://token@host:8443/debian "file:'"$work"'/debian/@home"; do
  for codename in bookworm bookworm-security; do echo "Debian|$codename|main|$at"; done; done; }'
is "a mirror with a password in it" "file:$work/debian/@home $own" "$(in_script "$secrets; mirrors" | tr '\n' ' ')"
is "a security mirror with a password in it" "file:$work/debian/@home $own" "$(in_script "$secrets; security_mirrors" | tr '\n' ' ')"

# --- bookworm-backports: written when it works, for everybody to read ---------------------------------

cat >"$work/bin/apt-get" <<'SCRIPT'
#!/bin/bash
# Reads as apt-get does; what would change packages is noted.
case " $* " in
  *" install "*) printf '%s %s|%s\n' "${DEBIAN_FRONTEND:-asks}" "${NEEDRESTART_MODE:-asks}" "$*" >>"$NOTES/apt"; exit "${INSTALL_FAILS:-0}" ;;
esac
exec /usr/bin/apt-get "$@"
SCRIPT
cat >"$work/bin/sudo" <<'SCRIPT'
#!/bin/bash
# Takes the caller's variables away, as sudo does.
printf '%s\n' "$1" >>"$NOTES/sudo"
[ "$1" != -n ] || shift
exec env -i PATH="$PATH" NOTES="$NOTES" APT_CONFIG="$APT_CONFIG" "$@"
SCRIPT
cat >"$work/bin/dpkg-query" <<'SCRIPT'
#!/bin/bash
# $NOTES/packages has "name version" lines.
format=$3 package=$4
while read -r name version; do
  # shellcheck disable=SC2254 # a pattern
  case $name in $package) ;; *) continue ;; esac
  found=yes
  case $format in
    *Package*) printf 'ii  %s\n' "$name" ;;
    *Status*) printf 'ii ' ;;
    *) printf '%s' "$version" ;;
  esac
done <"$NOTES/packages"
[ "${found:-no}" = yes ]
SCRIPT
chmod +x "$work"/bin/*
export NOTES=$work/notes
mkdir "$NOTES"
export PATH=$work/bin:$PATH
packages() { printf '%s\n' "$@" >"$NOTES/packages"; }
packages 'debian-archive-keyring 2023'

list=$machine/etc/apt/sources.list.d/coffer-backports.list
sources sources.list <<<"deb [trusted=yes] file:$work/debian bookworm main"
status=0
(umask 077; in_script add_backports) >"$work/said" 2>&1 || status=$?
is "no mirror has backports that Debian signed: it fails" 1 "$status"
is "no mirror has backports that Debian signed: nothing is written" no "$([ -e "$list" ] && echo yes || echo no)"
is "no mirror has backports that Debian signed: it says so" 1 "$(grep -c 'nothing was changed' "$work/said")"

cp -r "$work/backports/dists/bookworm-backports" "$work/debian/dists/"
status=0
in_script add_backports >"$work/said" 2>&1 || status=$?
is "backports that nobody signed are not taken" "1 no" "$status $([ -e "$list" ] && echo yes || echo no)"

# That the entry was tried is told by a stand-in, for want of Debian's key.
# shellcheck disable=SC2016 # for the script's shell
signed='apart() { grep -q "file:'"$work"'/debian bookworm-backports" "$work/sources.list"; }'
(umask 077; in_script "$signed; add_backports") >"$work/said" 2>&1
is "the entry" "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] file:$work/debian bookworm-backports main" "$(cat "$list")"
is "everybody may read it" 644 "$(stat -c %a "$list")"

sources sources.list <<LIST
deb [trusted=yes] file:$work/debian bookworm main
deb [trusted=yes] file:$work/vendor bookworm-backports main
LIST
(in_script "$signed; add_backports") >"$work/said" 2>&1
is "another's backports do not count for Debian's" yes "$([ -e "$list" ] && echo yes || echo no)"

sources sources.list <<<"deb [trusted=yes] file:$work/backports bookworm-backports main"
install -m 0600 /dev/null "$list"
(in_script add_backports) >"$work/said" 2>&1
is "a list of before gets readable" 644 "$(stat -c %a "$list")"

# --- Nobody is asked, whatever sudo takes away ---------------------------------------------------------

: >"$NOTES/apt"
in_script 'apt_updated=yes; apt_install one' >/dev/null </dev/null
in_script 'apt_updated=yes; id() { echo 1000; }; apt_install two' >/dev/null </dev/null
is "packages are installed without a question" 2 \
  "$(grep -c '^noninteractive l|install -y .*--force-confdef .*--force-confold ' "$NOTES/apt")"
is "nor does sudo ask where nobody can answer" "-n" "$(cat "$NOTES/sudo")"
is "packages do not inherit the caller's mask" 0022 \
  "$(umask 077; in_script 'know_release() { umask; exit; }; main')"

# --- cpp-httplib: with its fixes only --------------------------------------------------------------------

while read -r version expected; do
  is "cpp-httplib $version" "$expected" "$(in_script "has_fixes '$version' && echo fixed || echo unfixed")"
done <<TABLE
0.11.4+ds-1+deb12u1 unfixed
0.18.7-1 unfixed
0.18.7-1+deb13u1 fixed
0.18.7-1+deb13u1+b1 fixed
0.18.7-1+deb13u2 fixed
0.18.7-2 fixed
0.20.1-1 unfixed
0.22.0-1 unfixed
0.23.0-1 fixed
0.41.0+ds-1 fixed
TABLE
installed() { in_script 'httplib_is_fixed && echo fixed || echo unfixed'; }
packages 'other 1'
is "not installed" unfixed "$(installed)"
packages 'libcpp-httplib-dev 0.18.7-1+deb13u1' 'libcpp-httplib0.18 0.18.7-1'
is "an old library under a new header" unfixed "$(installed)"
packages 'libcpp-httplib-dev 0.18.7-1+deb13u1' 'libcpp-httplib0.18 0.18.7-1+deb13u1'
is "both" fixed "$(installed)"

# An old copy is replaced; where none can be had, that is said and nothing goes on.
packages 'libcpp-httplib-dev 0.18.7-1' 'libcpp-httplib0.18 0.18.7-1' 'libsqlcipher-dev 4.6.1' 'sqlcipher 4.6.1' \
  'libssl-dev 3.0.17' 'libsodium-dev 1.0.18' 'dpkg-dev 1' 'debian-archive-keyring 2023'
for release in 12 13; do
  printf 'ID=debian\nVERSION_ID=%s\n' "$release" >"$work/os-release"
  status=0
  in_script 'install_wanted() { :; }; main' >"$work/said" 2>&1 || status=$?
  is "Debian $release without the fixes: it fails" 1 "$status"
  is "Debian $release without the fixes: it says so" 1 "$(grep -c 'cannot be had: no mirror has Debian 13' "$work/said")"
  for build in build_httplib install_httplib; do
    in_script "install_wanted() { :; }; $build() { echo $build >'$NOTES/built'; httplib_is_fixed() { :; }; }; main" >/dev/null 2>&1 || true
  done
  is "Debian $release replaces an old copy" "$([ "$release" = 12 ] && echo build_httplib || echo install_httplib)" "$(cat "$NOTES/built")"
  rm "$NOTES/built"
done

# Packages are built from the same as what is built by hand.
# shellcheck disable=SC2016 # for the script's shell
libraries=$(in_script 'choose_packages; printf "%s\n" "${wanted[@]}" libcpp-httplib-dev' | grep -e '-dev$' | grep -v ipsec | sort)
is "what packages are built from" "$libraries" \
  "$(sed '/^$/q' "$root/deploy/debian/control" | grep -oE '^ [a-z0-9.+-]+-dev\b' | tr -d ' ' | grep -v ipsec | sort)"

# The build itself, wherever the library came from.
configure() { # version
  cmake -DHTTPLIB_VERSION="$1" -DHTTPLIB_INCLUDEDIR="$work/include" \
    -P "$root/deploy/require_fixed_httplib.cmake" >/dev/null 2>&1 && echo builds || echo refuses
}
mkdir "$work/include"
echo '#define CPPHTTPLIB_MAX_LINE_LENGTH 32768' >"$work/include/httplib.h"
is "the build, with 0.18.7 as it was" refuses "$(configure 0.18.7)"
is "the build, with 0.22" refuses "$(configure 0.22.0)"
is "the build, with 0.23" builds "$(configure 0.23.0)"
echo '#define CPPHTTPLIB_HEADER_MAX_COUNT 100' >>"$work/include/httplib.h"
is "the build, with Debian's fixed 0.18.7" builds "$(configure 0.18.7)"
is "the build, with 0.20 and another's patch" refuses "$(configure 0.20.1)"

[ "$failed" = no ]
