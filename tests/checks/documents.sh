#!/usr/bin/env bash
# What the documents say of the source is so: folders and files that they name exist, and the floors
# in docs/architecture.md are those that the build links.
#   documents.sh BUILD_DIR
# shellcheck disable=SC2016 # backquotes of Markdown
set -euo pipefail
build=$(realpath -- "${1:?documents.sh BUILD_DIR}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
failed=no

# Names in code quotes that begin with a folder of ours. Of a pattern or a placeholder the folder counts.
while IFS=: read -r document line name; do
  path=${name%%[*<{…]*}
  [ "$path" = "$name" ] || path=${path%/*}/
  [ -e "$path" ] && continue
  echo "documents: $document:$line names $name, which is not there" >&2
  failed=yes
done < <(grep -noE '`(crypto|audit|vault|api|tests|deploy|docs|\.ci)/[^` ]*`' README.md docs/*.md docs/decisions/*.md |
  tr -d '`' | sed -E 's/[.,:;]$//')

if ! diff <(sed -n '/^```floors$/,/^```$/p' docs/architecture.md | sed '1d;$d' | sed 's/ *$//') \
  <(sed 's/ *$//' "$build/floors.txt") >&2; then
  echo "documents: docs/architecture.md has other floors (<) than the build links (>)" >&2
  failed=yes
fi
[ "$failed" = no ]
