#!/usr/bin/env bash
# The unit is one that systemd understands and finds tight, and each of its directives is explained.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
unit=deploy/systemd/cofferd.service
failed=no
fail() { printf 'service_unit: %s\n' "$*" >&2; failed=yes; }

while read -r directive; do
  case $directive in Description | Documentation) continue ;; esac
  grep -q "\`$directive=" docs/service-unit.md || fail "docs/service-unit.md does not explain $directive="
done < <(sed -nE 's/^([A-Za-z]+)=.*/\1/p' "$unit" | sort -u)
while read -r directive; do
  grep -qE "^#? *$directive=" "$unit" || fail "docs/service-unit.md explains $directive=, which $unit does not have"
done < <(sed -n '/^## /,$p' docs/service-unit.md | sed -nE 's/^\| (`[^|]*) \|.*/\1/p' |
  grep -oE '`[A-Za-z]+=' | tr -d '`=' | sort -u)

if command -v systemd-analyze >/dev/null; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # The server need not be installed.
  sed 's#^ExecStart=cofferd #ExecStart=/bin/true #' "$unit" >"$work/cofferd.service"
  said=$(systemd-analyze verify --man=no --recursive-errors=no "$work/cofferd.service" 2>&1) ||
    fail "systemd does not understand the unit"
  [ -z "$said" ] || fail "systemd says of the unit: $said"
  systemd-analyze security --offline=true --threshold=15 --no-pager "$work/cofferd.service" >"$work/security" 2>&1 ||
    { cat "$work/security" >&2; fail "systemd-analyze security rates the unit worse than 1.5"; }
  # The drill, and what starts it.
  sed 's#^ExecStart=coffer #ExecStart=/bin/true #' deploy/systemd/coffer-drill.service >"$work/coffer-drill.service"
  cp deploy/systemd/coffer-drill.timer "$work/"
  said=$(systemd-analyze verify --man=no --recursive-errors=no "$work/coffer-drill.service" "$work/coffer-drill.timer" 2>&1) ||
    fail "systemd does not understand the units of the drill"
  [ -z "$said" ] || fail "systemd says of the units of the drill: $said"
fi
[ "$failed" = no ]
