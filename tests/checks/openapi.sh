#!/usr/bin/env bash
# The description of the interface is one that clients can be generated from.
#   openapi.sh DOCUMENT      the one that the build put together: build/release/api/openapi.json
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python3 -c 'import jsonschema' 2>/dev/null ||
  { echo "openapi: python3-jsonschema is missing: run deploy/install-dependencies --test" >&2; exit 1; }

exec python3 tests/checks/openapi.py "${1:?names the document that the build put together}"
