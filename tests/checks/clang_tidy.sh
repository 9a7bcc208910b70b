#!/usr/bin/env bash
# The fatal findings of .clang-tidy in every source of the project.
#   clang_tidy.sh BUILD_DIR
# A source that was found clean is not analysed again until it, a header of the project that it
# includes, or .clang-tidy changes: the sums of those are kept in BUILD_DIR/clang-tidy/.
set -euo pipefail
build=$(realpath -- "${1:?clang_tidy.sh BUILD_DIR}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
for tool in run-clang-tidy-19 clang-tidy-19 jq; do
  command -v "$tool" >/dev/null ||
    { echo "clang_tidy: $tool is missing: run deploy/install-dependencies --test" >&2; exit 1; }
done
[ -r "$build/compile_commands.json" ] || { echo "clang_tidy: $build is not configured" >&2; exit 1; }

clean=$build/clang-tidy
mkdir -p "$clean"

# The project's files that `source` is made of: itself, and by following its includes. Sources that
# the build generates live elsewhere and are not looked at.
declare -A includes_of
includes() {
  local file=$1 name
  [ -n "${includes_of[$file]+known}" ] && return
  includes_of[$file]=
  while read -r name; do
    [ -f "$name" ] || continue
    includes "$name"
    includes_of[$file]+=" $name ${includes_of[$name]}"
  done < <(sed -nE 's/^#include +"([^"]+)".*/\1/p' "$file")
}

sum_of() {
  local source=$1
  includes "$source"
  # shellcheck disable=SC2086 # file names of the project hold no spaces
  { clang-tidy-19 --version; printf '%s\n' .clang-tidy "$source" ${includes_of[$source]} | sort -u | xargs sha256sum; } |
    sha256sum | cut -d ' ' -f 1
}

wanted=()
declare -A sums
while read -r source; do
  sums[$source]=$(sum_of "$source")
  [ -e "$clean/${sums[$source]}" ] || wanted+=("$source")
done < <(jq -r '.[].file' "$build/compile_commands.json" | grep -F "$root/" | grep -vF "$build/" |
  sed "s|^$root/||" | LC_ALL=C sort -u)

echo "clang_tidy: ${#wanted[@]} of ${#sums[@]} sources to analyse"
[ ${#wanted[@]} -gt 0 ] || exit 0

status=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
patterns=()
for source in "${wanted[@]}"; do patterns+=("^$root/$source\$"); done
run-clang-tidy-19 -p "$build" -quiet -j "$(nproc)" -extra-arg=-Wno-unknown-warning-option \
  "${patterns[@]}" >"$log" 2>/dev/null || status=$?
if [ "$status" != 0 ]; then
  grep -E '(warning|error):' -A 4 "$log" | head -n 200 >&2 || tail -n 20 "$log" >&2
  # What is named nowhere in the findings may still be affected by them: nothing is noted as clean.
  exit 1
fi
for source in "${wanted[@]}"; do : >"$clean/${sums[$source]}"; done
