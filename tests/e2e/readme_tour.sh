#!/usr/bin/env bash
# Runs the README's tour as printed: every block marked "```sh tour", in order, in one shell, in an
# empty folder that sees only deploy/. Fails on the first command that fails.
#   readme_tour.sh BUILD_DIR
set -euo pipefail
build=$(realpath -- "${1:?readme_tour.sh BUILD_DIR}")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

work=$(mktemp -d)
export TMPDIR=$work
finish() {
  local status=$?
  cd /
  COFFER_BUILD_DIR=$build "$root/deploy/quickstart" --stop --data "$work/coffer-demo" >"$work/stop.log" 2>&1 || status=1
  if [ "$status" != 0 ]; then
    cat "$work/output" "$work/stop.log" 2>/dev/null || true
    tail -n 20 "$work/coffer-demo/cofferd.log" 2>/dev/null || true
  fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 50); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  return 1
}

awk '/^```sh tour$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$root/README.md" >"$work/tour.sh"
[ "$(wc -l <"$work/tour.sh")" -gt 20 ] || { echo "readme_tour: the README has no tour" >&2; exit 1; }

ln -s "$root/deploy" "$work/deploy"
cd "$work"
COFFER_PORT=$(free_port)
export COFFER_PORT COFFER_BUILD_DIR=$build
# As in the reader's shell, but not forgiving: a pipe fails with its first part, a variable must be set.
{
  cat <<'SH'
trap 'echo "readme_tour: failed: $BASH_COMMAND"' ERR
SH
  cat tour.sh
} >strict.sh
bash -euo pipefail strict.sh >output 2>&1 </dev/null

expect() { # what, how it shows in the output
  grep -qE -e "$2" output || { echo "readme_tour: missing in the output: $1" >&2; exit 1; }
}
expect 'the record, read' '"email": "tamsin\.tealeaf@example\.com"'
expect 'the refusal without a purpose' '"purpose_required".*<- refused: no purpose'
expect 'the read in the log' 'allow +record\.read .*client-care'
expect 'the denied read in the log' 'deny +record\.read .*purpose_required'
expect 'the evidence, verified' 'OK: every entry is in the log that was signed'
expect 'the evidence, verified by public tools' '^VERIFIED$'
expect 'the client found by its e-mail address' '^cli_[0-9a-hjkmnp-tv-z]{26} '
expect 'the retention schedule in force' 'retention schedule, version 1'
expect 'the hold that stops an erasure' '<- held'
expect 'the refusal of an erasure by one person' '<- not alone'
expect 'what is to be approved' 'erase a client and all its records'
expect 'the answer for the erased record' '"not_found".*<- it is gone'
expect 'the act, verified' 'OK: the vault signed this act'
expect 'the key that is gone' '^key +absent'
expect 'the stop' 'quickstart: stopped'

# The chain, by hand: what entry 0 hashes to is what entry 1 says about it.
sum=$(grep -oE '^[0-9a-f]{64}  -$' output | cut -d ' ' -f 1)
expect 'the hash of the first entry in the second' "^$sum\$"

for secret in coffer-demo/tokens/{crm,officer,privacy,admin} coffer-demo/root.key; do
  ! grep -qF "$(<"$secret")" output coffer-demo/*.log || { echo "readme_tour: $secret was printed" >&2; exit 1; }
done
