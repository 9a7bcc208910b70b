#!/usr/bin/env bash
# Every header without a source of its own compiles by itself, and twice in one source; of the others
# the source shows it, which includes them first (layering.sh) and which the dev tree compiles alone.
#   headers_stand_alone.sh [--all]
# What most of them take from the standard library is compiled once ahead, which finds no such include
# that is missing and is much faster. COFFER_VERSION is what the build defines for whoever uses api/;
# the other flags are those of the libraries that some headers show.
set -euo pipefail
all=${1:-}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v clang++-19 >/dev/null ||
  { echo "headers_stand_alone: clang++-19 is missing: run deploy/install-dependencies --test" >&2; exit 1; }

ahead=$(mktemp -d)
trap 'rm -rf "$ahead"' EXIT
printf '#include <%s>\n' algorithm array atomic chrono condition_variable cstdint expected functional map memory mutex \
  nlohmann/json_fwd.hpp optional set span string string_view thread unordered_map utility variant vector >"$ahead/ahead.h"
flags="-std=c++23 -Wall -Wextra -Werror -DCOFFER_VERSION=__FILE__ -I . $(pkg-config --cflags cpp-httplib sqlcipher p11-kit-1)"
# shellcheck disable=SC2086 # several flags
clang++-19 $flags -x c++-header -o "$ahead/ahead.pch" "$ahead/ahead.h"

export ahead flags
check() {
  local message
  # shellcheck disable=SC2086 # several flags
  message=$(printf '#include "%s"\n#include "%s"\n' "$1" "$1" |
    clang++-19 $flags -include-pch "$ahead/ahead.pch" -fsyntax-only -x c++ - 2>&1) ||
    { printf 'headers_stand_alone: %s does not compile by itself\n%s\n\n' "$1" "$message" >&2; return 1; }
}
export -f check
# shellcheck disable=SC2016 # for the inner shell
tests/checks/list_files.sh '*.h' | grep -E '^(crypto|audit|vault|api)/' |
  while read -r header; do [ -z "$all" ] && [ -e "${header%.h}.cc" ] || printf '%s\n' "$header"; done |
  xargs -d '\n' -n 1 -P "$(nproc)" bash -c 'check "$1"' check || exit 1
