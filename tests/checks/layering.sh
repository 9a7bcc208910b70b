#!/usr/bin/env bash
# Where things stand: what a folder may include, what its headers show, where SQL is written. The
# rules are the same everywhere; what they are applied to is listed here, to be added to.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# FOLDER: its rooms from the ground up. A room includes what is below it, never what is above; "."
# is the folder's own files. A folder or file that has no floor is a breach.
floors=(
  ".: crypto audit vault api tests"
  "audit: text tlog entries documents verify"
  "vault: base storage engine catalog access clients rights deletion oversight backup ."
  "api: openapi http routes cli ."
  "api/cli: text files client import verify commands ."
)

# FOLDER: has nothing to do with the other rooms of the folder it is in.
apart=(api/cli)

# Headers of these folders have at most so many lines.
most_lines=250
short_headers=(crypto audit vault api)

# LIBRARY: where it is included.
libraries=(
  "openssl/: crypto/ api/http/ api/cli/client/http_client.cc"
  "sodium: crypto/"
  "p11-kit/: crypto/"
  "sqlite3\.h|sqlcipher/: vault/storage/"
  "curl/|expat\.h: vault/backup/"
  "httplib\.h: api/http/ api/cli/client/http_client.cc"
)
# Of those places the headers that may show one of these libraries, and who may include them.
showing=(
  "crypto/internal/: crypto/"
  "crypto/token/: crypto/token/"
  "vault/storage/: vault/"
  "api/http/(request_stream|tls_server|tls_stream)\.h: api/http/"
)

# SQL is written in stores, in what knows the database, and in what keeps sums or an index of its own.
sql="vault/storage/|vault/.*_store\.cc|vault/(engine/committed_state|engine/key_store_rewrite|clients/(search_index|index_arrivals)"
sql+="|oversight/log_index|oversight/logged_state)\.cc"

failed=no
# report RULE: prints what stands on standard input, if anything, as breaches of the rule.
report() {
  local lines
  lines=$(cat)
  [ -n "$lines" ] || return 0
  printf 'layering: %s\n%s\n\n' "$1" "$lines" >&2
  failed=yes
}
# As grep, to which "nothing" is no failure.
search() { grep "$@" || [ $? = 1 ]; }
any_of() { local IFS='|'; printf '%s' "$*"; }
key() { printf '%s' "${1%%: *}"; }
values() { printf '%s' "${1#*: }"; }

mapfile -t sources < <(tests/checks/list_files.sh '*.h' '*.cc' | grep -E '^(crypto|audit|vault|api)/')
headers() { printf '%s\n' "${sources[@]}" | grep -E "^($1)/.*\.h$"; }

# FILE:LINE INCLUDED, for each include of a file of ours.
includes=$(grep -nE '^#include +"' /dev/null "${sources[@]}" |
  sed -nE 's/^([^:]+:[0-9]+):#include +"([^"]+)".*/\1 \2/p')

for row in "${floors[@]}"; do
  folder=$(key "$row")
  report "in $folder the floors are, from the ground up: $(values "$row")" < <(
    awk -v folder="$folder" -v order="$(values "$row")" '
      function room(path, parts) {
        sub(/:[0-9]+$/, "", path)
        if (folder != ".") {
          if (index(path, folder "/") != 1) return ""
          path = substr(path, length(folder) + 2)
        }
        return split(path, parts, "/") > 1 ? parts[1] : "."
      }
      BEGIN { count = split(order, rooms, " "); for (i = 1; i <= count; ++i) floor[rooms[i]] = i }
      {
        from = room($1); to = NF > 1 ? room($2) : ""
        if (from == "") next
        if (!(from in floor)) { if (NF == 1) print $1 " has no floor" }
        else if (to != "" && !(to in floor)) print $1 ": includes " $2 ", which has no floor"
        else if (to != "" && floor[to] > floor[from]) print $1 ": includes " $2
      }' < <(printf '%s\n' "${sources[@]}" "$includes"))
done

for folder in "${apart[@]}"; do
  report "$folder and the rest of ${folder%/*} know nothing of each other" < <(
    search -E "^$folder/[^ ]* ${folder%/*}/" <<<"$includes" | search -vE " $folder/"
    search -E "^${folder%/*}/[^ ]* $folder/" <<<"$includes" | search -vE "^$folder/")
done

# circles: the files of standard input, FROM TO, that include each other in a circle.
circles() { tsort 2>&1 >/dev/null | sed -n 's/^tsort: //p' | search -v 'input contains a loop'; }
report "a source with its header includes others in a circle" < <(
  sed -nE 's/^([^ ]*)\.(h|cc):[0-9]+ ([^ ]*)\.h$/\1 \3/p' <<<"$includes" | circles)

report "a source includes its own header first, which shows that this one stands alone" < <(
  grep -m 1 -E '^#include ' /dev/null "${sources[@]}" | sed -nE 's|^([^:]+)\.cc:#include +(.*)|\1 \2|p' |
    while read -r name included; do
      [ ! -e "$name.h" ] || [ "$included" = "\"$name.h\"" ] || printf '%s.cc: %s\n' "$name" "$included"
    done)

mapfile -t measured < <(headers "$(any_of "${short_headers[@]}")")
report "a header has at most $most_lines lines" < <(
  wc -l "${measured[@]}" | awk -v most="$most_lines" '$2 != "total" && $1 > most { print $2 ": " $1 }')

report "internal/ headers belong to their own folder" < <(
  awk '{ owner = $2 } sub(/internal\/.*/, "", owner) && index($1, owner) != 1' <<<"$includes")

places() { local place; for place in $1; do printf '|%s' "$place"; done; }
shown=$(for row in "${showing[@]}"; do key "$row"; printf '|'; done)
for row in "${libraries[@]}"; do
  found=$(search -nE "^#include +[<\"]($(key "$row"))" /dev/null "${sources[@]}")
  home=$(places "$(values "$row")")
  report "$(key "$row") is included in $(values "$row")" < <(search -vE "^(${home:1})" <<<"$found")
  report "a header that others include shows none of OpenSSL, libsodium, SQLite, libcurl, Expat and httplib" < <(
    search -E '^[^:]*\.h:' <<<"$found" | search -vE "^(${shown%|})")
done
for row in "${showing[@]}"; do
  home=$(places "$(values "$row")")
  report "headers that show a library ($(key "$row")) are included in $(values "$row")" < <(
    search -E " ($(key "$row"))" <<<"$includes" | search -vE "^(${home:1})")
done

mapfile -t no_sql < <(printf '%s\n' "${sources[@]}" | grep -vE "^($sql)")
report "SQL is written only in $sql" < <(
  search -nE '["(](SELECT .* FROM|INSERT (OR [A-Z]+ )?INTO|UPDATE .* SET|DELETE FROM|CREATE (TABLE|INDEX)|PRAGMA) ' \
    /dev/null "${no_sql[@]}")

[ "$failed" = no ]
