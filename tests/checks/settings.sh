#!/usr/bin/env bash
# The example configuration, its manual page and the server know the same settings.
#   settings.sh COFFERD
set -euo pipefail
cofferd=$(realpath -- "${1:?settings.sh COFFERD}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
example=deploy/coffer.toml.example
manual=docs/man/coffer.toml.5

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The files that it names are not on this machine: what may be wrong is a file, not a setting.
accepts() {
  local said
  said=$(CREDENTIALS_DIRECTORY=$work "$cofferd" --check --config "$1" 2>&1) || case $said in
    *"(root_key_missing)"* | *"(certificate_unusable)"*) ;;
    *) printf 'settings: %s\n' "$said" >&2; return 1 ;;
  esac
}

accepts "$example"

# Settings that are commented out in the example count too: the server must accept each of them.
# A table that may be there several times is one setting, whose own members are indented.
names() { sed -nE 's/^\[([a-z]+)\]$/\1/p; s/^#?([a-z][a-z0-9_]*) = .*/ \1/p' "$example"; }
tables() { sed -nE 's/^#\[\[([a-z]+\.[a-z]+)\]\]$/\1/p' "$example" | LC_ALL=C sort -u; }
section=
while IFS= read -r line; do
  case $line in ' '*) printf '%s.%s\n' "$section" "${line# }" ;; *) section=$line ;; esac
done < <(names) | cat - <(tables) | LC_ALL=C sort >"$work/example"
LC_ALL=C sort -u "$work/example" | diff "$work/example" - >&2 || { echo "settings: named twice in $example" >&2; exit 1; }

sed -nE 's/^\.It Va ([a-z]+\.[a-z0-9_]+)( .*)?$/\1/p' "$manual" | LC_ALL=C sort >"$work/manual"
diff --label "$example" --label "$manual" -u "$work/example" "$work/manual" >&2 ||
  { echo "settings: the example and the manual page differ" >&2; exit 1; }

# Defaults that are numbers or truth values are the same in both.
sed -nE 's/^#([a-z][a-z0-9_]*) = ([0-9]+|true|false)$/\1 \2/p' "$example" | while read -r name value; do
  said=$(awk -v name="$name" '/^\.(It Va|El)/ {inside = $3 ~ "\\." name "$"} inside' "$manual" | tr '\n' ' ')
  [[ $said =~ default\ ${value}[^0-9a-z] ]] || { echo "settings: $manual does not say that $name is $value by default" >&2; exit 1; }
done

# A second passphrase beside a key file is refused as a pair, not as an unknown setting.
sed -E 's/^#((  )?[a-z][a-z0-9_]* = |\[\[)/\1/' "$example" >"$work/all.toml"
if said=$("$cofferd" --check --config "$work/all.toml" 2>&1); then
  echo "settings: a key file and a passphrase together were accepted" >&2
  exit 1
fi
case $said in *"not a known"*) printf 'settings: %s\n' "$said" >&2; exit 1 ;; esac
sed -i -E '/^(passphrase_file|root_key) = /d' "$work/all.toml"
accepts "$work/all.toml"

printf '\n[server]\nsurprise = 1\n' >"$work/unknown.toml"
! "$cofferd" --check --config "$work/unknown.toml" >/dev/null 2>&1 ||
  { echo "settings: an unknown setting was accepted" >&2; exit 1; }
