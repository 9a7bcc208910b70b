#!/usr/bin/env bash
# The manual pages are well-formed mdoc.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v mandoc >/dev/null ||
  { echo "man_pages: mandoc is missing: run deploy/install-dependencies --test" >&2; exit 1; }

# Pages refer to one another whether or not they are installed on this machine.
findings=$(mandoc -T lint -W warning docs/man/*.[1-8] || true)
[ -z "$findings" ] || { printf '%s\n' "$findings" >&2; exit 1; }
