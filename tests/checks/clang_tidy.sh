#!/usr/bin/env bash
# The fatal findings of .clang-tidy in every source of the product.
#   clang_tidy.sh BUILD_DIR
# Sources that BUILD_DIR compiles alike are analysed as one, so that what their headers say is parsed
# and looked at once; where two of them give a name of their own twice, each by itself. What was found
# clean is not analysed again until one of them, a header of the project that they include, or
# .clang-tidy changes: the sums of those are kept in BUILD_DIR/clang-tidy/.
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

# A group a line: its sources, as BUILD_DIR has them; and of each a source that includes them all.
jq -r --arg ours "^($build|$root)/(crypto|audit|vault|api)/" '
  map(select(.file | test($ours))) | unique_by(.file)
  | group_by(.command | gsub(" -(o|c) [^ ]+"; ""))[] | map(.file) | join(" ")' \
  "$build/compile_commands.json" >"$clean/groups"
jq --arg ours "^($build|$root)/(crypto|audit|vault|api)/" --arg clean "$clean" '
  map(select(.file | test($ours))) | unique_by(.file)
  | group_by(.command | gsub(" -(o|c) [^ ]+"; "")) | to_entries
  | map(.key as $group | .value[0] | (.file | length) as $length | "\($clean)/group_\($group).cc" as $file
    | .command |= .[: index(" -c ")] + " -c " + $file | .file = $file | del(.output))' \
  "$build/compile_commands.json" >"$clean/compile_commands.json"

stale=()
total=0
while read -r sources; do
  together=$clean/group_$total.cc
  total=$((total + 1))
  sum=$(for source in $sources; do sum_of "$source"; done | sha256sum | cut -d ' ' -f 1)
  [ -e "$clean/$sum" ] && continue
  # shellcheck disable=SC2086 # as above
  printf '#include "%s"\n' $sources >"$together"
  stale+=("$together" "$clean/$sum" "$sources")
done <"$clean/groups"

echo "clang_tidy: $((${#stale[@]} / 3)) of $total groups of sources to analyse"
[ ${#stale[@]} -gt 0 ] || exit 0

export build clean
tidy() { clang-tidy-19 --quiet --extra-arg=-Wno-unknown-warning-option "$@" 2>&1; }
# analyse TOGETHER STAMP "SOURCE...": silent and noted as clean, or its findings.
analyse() {
  local findings source
  if findings=$(tidy -p "$clean" "$1"); then
    : >"$2"
    return
  fi
  if grep -q 'clang-diagnostic-error' <<<"$findings"; then
    findings=
    for source in $3; do
      findings+=$(tidy -p "$build" "$source") || findings+=$'\n!'
    done
    if [[ $findings != *$'\n!'* ]]; then
      : >"$2"
      return
    fi
  fi
  printf '%s\n\n' "$findings" | grep -vE '^[0-9]+ warnings? (generated|treated)|^!$' >&2
  return 1
}
export -f tidy analyse
# shellcheck disable=SC2016 # for the inner shell
printf '%s\n' "${stale[@]}" | xargs -d '\n' -n 3 -P "$(nproc)" bash -c 'analyse "$1" "$2" "$3"' analyse || exit 1
