#!/usr/bin/env bash
# The examples for Prometheus: it understands them, the alerts come when they should, and whatever
# figure an alert, the scrape or a guide names is one that the server shows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
failed=no
fail() { printf 'monitoring: %s\n' "$*" >&2; failed=yes; }

# The sources name each figure once, as it is shown; tests/api compare that with the real answer.
figures=$(grep -rhoE --include=*.cc '"coffer_[a-z_]+"' api vault | tr -d '"' | sort -u)
named() { grep -ohE '\bcoffer_[a-z_]+' "$@" | sort -u; }
while read -r figure; do
  case $figure in
    *_bucket | *_sum | *_count) figure=${figure%_*} ;;
  esac
  grep -qx -- "$figure" <<<"$figures" || fail "$figure is named and no figure of the server"
done < <(named deploy/prometheus/*.yml deploy/coffer.toml.example docs/operator-guide.md \
  docs/privacy-officer-guide.md docs/security-officer-guide.md docs/man/coffer.toml.5 | grep -vxE 'coffer_(vault|demo)')

promtool=$(PATH=$PATH:$PWD/build/tools/usr/bin command -v promtool) ||
  { echo "monitoring: promtool is missing: run deploy/install-dependencies --test" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp deploy/prometheus/scrape.yml "$work/prometheus.yml"
cp deploy/prometheus/alerts.yml "$work/coffer-alerts.yml"
sed -i "s#/etc/prometheus/#$work/#" "$work/prometheus.yml"
touch "$work/coffer.token" "$work/coffer-ca.pem"
sed "s#ALERTS#coffer-alerts.yml#" tests/checks/alerts_test.yml >"$work/test.yml"
for arguments in 'check config prometheus.yml' 'check rules coffer-alerts.yml' 'test rules test.yml'; do
  read -ra words <<<"$arguments"
  (cd "$work" && "$promtool" "${words[@]}" >said 2>&1) || { cat "$work/said" >&2; fail "promtool $arguments"; }
done
[ "$failed" = no ]
