#!/usr/bin/env bash
# Every header compiles by itself, and twice in one source.
#   headers_stand_alone.sh [COMPILER]
# COFFER_VERSION is what the build defines for whoever uses api/; the other flags are those of the
# libraries that some headers show.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export compiler=${1:-${CXX:-c++}}
flags=$(pkg-config --cflags cpp-httplib sqlcipher)
export flags
check() {
  local message
  # shellcheck disable=SC2086 # several flags
  message=$(printf '#include "%s"\n#include "%s"\n' "$1" "$1" |
    "$compiler" -std=c++23 -fsyntax-only -Wall -Wextra -Werror $flags -DCOFFER_VERSION='"0"' -I . -x c++ - 2>&1) ||
    { printf 'headers_stand_alone: %s does not compile by itself\n%s\n\n' "$1" "$message" >&2; return 1; }
}
export -f check
# shellcheck disable=SC2016 # for the inner shell
tests/checks/list_files.sh '*.h' | grep -E '^(crypto|audit|vault|api)/' |
  xargs -d '\n' -n 1 -P "$(nproc)" bash -c 'check "$1"' check || exit 1
