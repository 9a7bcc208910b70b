#!/usr/bin/env bash
# Whatever includes sqlite3.h was compiled with SQLCipher's. A machine with the packages that are named
# has no other; one that has plain SQLite's as well would hide that a target looks in the wrong place.
#   sqlite_header.sh BUILD_DIR
set -euo pipefail
build=${1:?sqlite_header.sh BUILD_DIR}
# "object: #deps …", then its headers, indented.
wrong=$(ninja -C "$build" -t deps | awk '/^[^ ]/ { object = $1 } /^ .*sqlite3\.h$/ && !/\/sqlcipher\/sqlite3\.h$/ { print object " " $1 }')
[ -z "$wrong" ] || { printf 'sqlite_header: compiled with a header that is not SQLCipher'"'"'s: %s\n' "$wrong" >&2; exit 1; }
