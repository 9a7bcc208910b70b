#!/usr/bin/env bash
# The fatal findings of .clang-tidy in every source of the product.
#   clang_tidy.sh BUILD_DIR
# BUILD_DIR may compile many sources as one, which is many times faster here. What was found clean is
# not analysed again until it, a header of the project that it includes, or .clang-tidy changes: the
# sums of those are kept in BUILD_DIR/clang-tidy/.
set -euo pipefail
build=$(realpath -- "${1:?clang_tidy.sh BUILD_DIR}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
for tool in clang-tidy-19 jq; do
  command -v "$tool" >/dev/null ||
    { echo "clang_tidy: $tool is missing: run deploy/install-dependencies --test" >&2; exit 1; }
done
[ -r "$build/compile_commands.json" ] || { echo "clang_tidy: $build is not configured" >&2; exit 1; }

clean=$build/clang-tidy
mkdir -p "$clean"

# The project's files that `source` is made of: itself, and by following its includes.
declare -A includes_of
includes() {
  local file=$1 name
  [ -n "${includes_of[$file]+known}" ] && return
  includes_of[$file]=
  while read -r name; do
    [ -f "$name" ] || continue
    includes "$name"
    includes_of[$file]+=" $name ${includes_of[$name]}"
  done < <(sed -nE 's/^#include +"([^"]+)".*/\1/p' "$file" | sed "s#^$root/##")
}

sum_of() {
  local source=$1
  includes "$source"
  # shellcheck disable=SC2086 # file names of the project hold no spaces
  { clang-tidy-19 --version; printf '%s\n' .clang-tidy "$source" ${includes_of[$source]} | sort -u | xargs sha256sum; } |
    sha256sum | cut -d ' ' -f 1
}

stale=()
total=0
while read -r source; do
  total=$((total + 1))
  sum=$(sum_of "$source")
  [ -e "$clean/$sum" ] || stale+=("$source" "$clean/$sum")
done < <(jq -r '.[].file' "$build/compile_commands.json" |
  sed -nE "s#^($build/(crypto|audit|vault|api)/.*)#\1#p; s#^$root/((crypto|audit|vault|api)/.*)#\1#p" |
  LC_ALL=C sort -u)

echo "clang_tidy: $((${#stale[@]} / 2)) of $total sources to analyse"
[ ${#stale[@]} -gt 0 ] || exit 0

export build
# analyse SOURCE STAMP: silent and noted as clean, or its findings.
analyse() {
  local findings
  if findings=$(clang-tidy-19 -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option "$1" 2>&1); then
    : >"$2"
  else
    printf '%s\n\n' "$findings" | grep -vE '^[0-9]+ warnings? (generated|treated)' >&2
    return 1
  fi
}
export -f analyse
# shellcheck disable=SC2016 # for the inner shell
printf '%s\n' "${stale[@]}" | xargs -d '\n' -n 2 -P "$(nproc)" bash -c 'analyse "$1" "$2"' analyse || exit 1
