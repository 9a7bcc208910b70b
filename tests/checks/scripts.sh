#!/usr/bin/env bash
# Shell scripts are free of what shellcheck warns about.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v shellcheck >/dev/null ||
  { echo "scripts: shellcheck is missing: run deploy/install-dependencies --test" >&2; exit 1; }

tests/checks/list_files.sh | xargs -d '\n' grep -lE -m 1 '^#!.*\b(ba)?sh$' |
  xargs -d '\n' shellcheck --exclude=SC1091 || exit 1
