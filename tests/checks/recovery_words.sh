#!/usr/bin/env bash
# What a server that does not start says is what the operator's guide explains, word for word: each
# word of its table is one that the sources have, and each that the tests of starting meet stands there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
failed=no
fail() { printf 'recovery_words: %s\n' "$*" >&2; failed=yes; }

said=$(grep -rhoE --include=*.cc '"[a-z]+(_[a-z]+)+"' api vault audit crypto | tr -d '"' | sort -u)
section=$(sed -n '/^## Recovery$/,/^## Limits$/p' docs/operator-guide.md)
explained=$(sed -nE 's/^\| (`[^|]*) \|.*/\1/p' <<<"$section" | tr '`' '\n' | grep -xE '[a-z]+(_[a-z]+)+' | sort -u)
[ "$(wc -l <<<"$explained")" -gt 30 ] || fail "the table is not found"

while read -r word; do
  grep -qx -- "$word" <<<"$said" || fail "nothing says '$word', which the guide explains"
done <<<"$explained"

# Settings, members of documents, and what a request is told.
others='external_ref|log_unavailable|passphrase_file|passphrase_too_short|root_key_file'
while read -r word; do
  grep -qx -- "$word" <<<"$explained" || fail "the guide does not explain '$word'"
done < <(grep -ohE '"[a-z]+(_[a-z]+)+"|\([a-z]+(_[a-z]+)+\)' \
  tests/e2e/{failing_start,start_check,failing_storage,process_limits,file_account,tamper,tamper_log}_test.cc |
  tr -d '"()' | sort -u | grep -xF -f <(printf '%s\n' "$said") | grep -vxE "$others")
[ "$failed" = no ]
