#!/usr/bin/env bash
# `cmake --install` puts everything in its place.
#   install.sh BUILD_DIR
set -euo pipefail
build=$(realpath -- "${1:?install.sh BUILD_DIR}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

DESTDIR=$work cmake --install "$build" --prefix /usr >"$work/log" || { cat "$work/log" >&2; exit 1; }
failed=no
for path in bin/cofferd bin/coffer libexec/coffer/coffer-token lib/systemd/system/cofferd.service lib/systemd/system/coffer-drill.service \
  lib/systemd/system/coffer-drill.timer lib/sysusers.d/coffer.conf \
  share/coffer/coffer.toml.example share/coffer/openapi.json share/coffer/classes/contact.json \
  share/coffer/nginx/coffer.conf share/coffer/prometheus/scrape.yml share/coffer/prometheus/alerts.yml \
  share/coffer/purposes/client-care.json share/coffer/retention/schedule.json share/coffer/import/generic.toml \
  share/man/man1/coffer.1 share/man/man5/coffer.toml.5 share/man/man8/cofferd.8 share/doc/coffer/README.md share/doc/coffer/CHANGELOG.md; do
  [ -s "$work/usr/$path" ] || { echo "install: $path is missing" >&2; failed=yes; }
done
for program in cofferd coffer; do
  "$work/usr/bin/$program" --version >/dev/null || { echo "install: $program does not run" >&2; failed=yes; }
done
[ "$failed" = no ]
