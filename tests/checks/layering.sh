#!/usr/bin/env bash
# The folders have one direction, crypto <- audit <- vault <- api, and keep their libraries to
# themselves:
#   - no folder includes one above it, or the internal/ of another one; tests may not be included
#   - openssl/*, sodium.h, sqlite3.h and httplib.h appear only in sources and internal/ headers
#   - SQL is written only in *_store.cc, internal/ and migrations/ of vault/
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

failed=no
# report RULE: prints what stands on standard input, if anything, as breaches of the rule.
report() {
  local lines
  lines=$(cat)
  [ -n "$lines" ] || return 0
  printf 'layering: %s\n%s\n\n' "$1" "$lines" >&2
  failed=yes
}
search() { grep -nE "$@" /dev/null || [ $? = 1 ]; }

order=(crypto audit vault api)
sources() { tests/checks/list_files.sh '*.h' '*.cc' | grep -E "^($1)/"; }

above=tests
for ((i = ${#order[@]} - 1; i >= 0; i--)); do
  folder=${order[i]}
  mapfile -t files < <(sources "$folder")
  report "$folder/ knows nothing of ${above//|/, }" < <(search "#include +\"($above)/" "${files[@]}")
  report "internal/ headers belong to their own folder" < <(
    search '#include +"[a-z_/]+/internal/' "${files[@]}" | grep -v "#include *\"$folder/" || true)
  above=$folder\|$above
done

mapfile -t public_headers < <(sources 'crypto|audit|vault|api' | grep '\.h$' | grep -v '/internal/')
report "a public header shows none of OpenSSL, libsodium, SQLite and httplib" < <(
  search '#include +[<"](openssl/|sodium|sqlite3\.h|sqlcipher/|httplib\.h)' "${public_headers[@]}")

mapfile -t no_sql < <(sources 'crypto|audit|vault|api' | grep -vE '^vault/(.*_store\.cc$|.*/?internal/)')
report "SQL is written only in vault/**/*_store.cc, vault/internal/ and migrations" < <(
  search '["(](SELECT .* FROM|INSERT (OR [A-Z]+ )?INTO|UPDATE .* SET|DELETE FROM|CREATE (TABLE|INDEX)|PRAGMA) ' "${no_sql[@]}")

[ "$failed" = no ]
