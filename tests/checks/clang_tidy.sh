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
for tool in clang-tidy-19 jq python3; do
  command -v "$tool" >/dev/null ||
    { echo "clang_tidy: $tool is missing: run deploy/install-dependencies --test" >&2; exit 1; }
done
[ -r "$build/compile_commands.json" ] || { echo "clang_tidy: $build is not configured" >&2; exit 1; }

clean=$build/clang-tidy
mkdir -p "$clean"

# A group a line: its sources, as BUILD_DIR has them; and of each a source that includes them all.
jq -r --arg ours "^($build|$root)/(crypto|audit|vault|api)/" '
  map(select(.file | test($ours))) | unique_by(.file)
  | group_by(.command | gsub(" -(o|c) [^ ]+"; ""))[] | map(.file) | join(" ")' \
  "$build/compile_commands.json" >"$clean/groups"
jq --arg ours "^($build|$root)/(crypto|audit|vault|api)/" --arg clean "$clean" '
  map(select(.file | test($ours))) | unique_by(.file)
  | group_by(.command | gsub(" -(o|c) [^ ]+"; "")) | to_entries
  | map(.key as $group | .value[0] | "\($clean)/group_\($group).cc" as $file
    | .command |= .[: index(" -c ")] + " -c " + $file | .file = $file | del(.output))' \
  "$build/compile_commands.json" >"$clean/compile_commands.json"

# Before each group the sum of all that it is made of: its sources, by following their includes.
python3 - "$clean/groups" "$(clang-tidy-19 --version)" >"$clean/sums" <<'EOF'
import functools, hashlib, os, re, sys


@functools.cache
def read(path):
    with open(path, "rb") as file:
        text = file.read()
    found = re.findall(rb'^#include +"([^"]+)"', text, re.MULTILINE)
    names = [os.path.relpath(name) for name in map(os.fsdecode, found)]
    return hashlib.sha256(text).hexdigest(), [name for name in names if os.path.isfile(name)]


for line in open(sys.argv[1]):
    made_of, left = set(), [os.path.relpath(name) for name in line.split()] + [".clang-tidy"]
    while left:
        path = left.pop()
        if path not in made_of:
            made_of.add(path)
            left += read(path)[1]
    parts = [sys.argv[2]] + [f"{path} {read(path)[0]}" for path in sorted(made_of)]
    print(hashlib.sha256("\n".join(parts).encode()).hexdigest(), line, end="")
EOF

stale=()
total=0
while read -r sum sources; do
  together=$clean/group_$total.cc
  total=$((total + 1))
  [ -e "$clean/$sum" ] && continue
  # shellcheck disable=SC2086 # file names of the project hold no spaces
  printf '#include "%s"\n' $sources >"$together"
  stale+=("$together" "$clean/$sum" "$sources")
done <"$clean/sums"

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
