#!/usr/bin/env bash
# Prints the project's files, relative to its root, one a line: what is built or generated is left
# out. Arguments are patterns of file names ("*.h"); without any, all files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

names=()
for pattern in "$@"; do names+=(${names[@]:+-o} -name "$pattern"); done
find . \( -path ./build -o -path ./coffer-demo -o -name .git -o -name .cache \) -prune -o \
  -type f ${names[@]:+\( "${names[@]}" \)} -printf '%P\n' | LC_ALL=C sort
