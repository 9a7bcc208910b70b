#!/usr/bin/env bash
# What is in the repository could be anybody's: no paths of one machine, no private keys, no tokens.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

failed=no
# report RULE PATTERN [BUT]: prints the lines that match and do not say EXAMPLE, but those of files
# that match BUT. This check itself holds the patterns.
report() {
  local lines
  lines=$(tests/checks/list_files.sh | grep -vxF tests/checks/repository_text.sh | { grep -vE "${3:-^$}" || true; } |
    xargs -d '\n' grep -nIE -e "$2" /dev/null | grep -v EXAMPLE || true)
  [ -n "$lines" ] || return 0
  printf 'repository_text: %s\n%s\n\n' "$1" "$(cut -c 1-200 <<<"$lines")" >&2
  failed=yes
}

report 'a path of one machine' '(^|[^A-Za-z0-9_.~/-])/(work|root|Users)/[A-Za-z0-9_.]|(^|[^A-Za-z0-9_.~/-])/home/[a-z]'
report 'a private key' 'BEGIN ([A-Z]+ )*PRIVATE KEY'
report 'a token' 'cft_[0-9A-Za-z_-]{30,}'
# Files as offices write them have what they have.
report 'trailing white space' '[[:blank:]]+$' '^tests/cases/'

[ "$failed" = no ]
