#!/usr/bin/env bash
# Every C++ file is formatted as .clang-format says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v clang-format-19 >/dev/null ||
  { echo "format: clang-format-19 is missing: run deploy/install-dependencies --test" >&2; exit 1; }

if ! tests/checks/list_files.sh '*.h' '*.cc' | xargs -d '\n' clang-format-19 --dry-run -Werror; then
  echo "format: mend with: tests/checks/list_files.sh '*.h' '*.cc' | xargs clang-format-19 -i" >&2
  exit 1
fi
