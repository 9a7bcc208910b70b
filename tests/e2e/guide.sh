#!/usr/bin/env bash
# Follows a guide as printed: its marked blocks, in order, in one shell, in an empty folder that sees
# only deploy/ and docs/. Fails on the first command that fails.
#   guide.sh BUILD_DIR DOCUMENT [MARKER...]     MARKERs beside those here, such as "sh"
# With GUIDE_SHOW set, what the commands printed is shown.
#
#   ```sh tour      anybody's: run as it stands
#   ```sh root      root's, on a machine of its own: run as it stands, but that folders of the machine
#                   (/etc, /mnt, /usr/local, /var/lib) lie below a temporary one, ports are free ones, and
#                   what needs root or a package is done by tests/e2e/stand-ins
#   ```sh person    at a terminal: what a command asks for is typed (the same stand-ins, python3)
#   <!-- shows: REGEX -->   after a block: a line of what was printed so far matches (grep -E)
#   <!-- never: REGEX -->   at the end: no line of all that was printed matches
set -euo pipefail
build=$(realpath -- "${1:?guide.sh BUILD_DIR DOCUMENT}")
document=$(realpath -- "${2:?guide.sh BUILD_DIR DOCUMENT}")
shift 2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
name=$(basename "$document")

work=$(mktemp -d)
export TMPDIR=$work HOME=$work
unset XDG_RUNTIME_DIR COFFER_URL COFFER_CA COFFER_TOKEN
finish() {
  local status=$?
  cd /
  COFFER_BUILD_DIR=$build "$root/deploy/quickstart" --stop --data "$work/coffer-demo" >"$work/stop.log" 2>&1 || status=1
  if [ -d "$work/machine" ]; then "$root/tests/e2e/stand-ins/systemctl" stop-everything >>"$work/stop.log" 2>&1 || true; fi
  if [ "$status" != 0 ]; then
    tail -n 100 "$work/output" 2>/dev/null || true
    cat "$work/stop.log" 2>/dev/null || true
    tail -n 20 "$work/coffer-demo/cofferd.log" "$work/machine/run/"*.log 2>/dev/null || true
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

# --- The guide as a script ------------------------------------------------------------------------

COFFER_PORT=$(free_port)
GUIDE_HTTPS_PORT=$(free_port)
export COFFER_PORT GUIDE_HTTPS_PORT COFFER_BUILD_DIR=$build GUIDE_MACHINE=$work/machine GUIDE_ROOT=$root

# What belongs to one machine lies elsewhere here. `shows` compares what was printed so far.
elsewhere() {
  sed -E -e "s#(^|[^A-Za-z0-9_./-])/(etc|mnt|usr/local|var/lib)(/|\b)#\1$work/machine/\2\3#g" \
    -e "s/\b8443\b/$COFFER_PORT/g" -e "s#https://vault\.example\.org([^:]|$)#https://localhost:$GUIDE_HTTPS_PORT\1#g" \
    -e 's/\bvault\.example\.org\b/localhost/g'
}

awk -v markers="sh tour|sh root|$(IFS='|'; echo "$*")" '
  BEGIN { split(markers, list, "|"); for (i in list) if (list[i] != "") wanted["```" list[i]] = 1 }
  $0 in wanted { inside = 1; printf "# line %d\n", NR; next }
  $0 == "```sh person" { inside = person = 1; printf "# line %d\nperson <<\047LINES\047\n", NR; next }
  inside && /^```$/ { if (person) print "LINES"; inside = person = 0; next }
  inside { print }
  !inside && /^<!-- shows: .* -->$/ {
    pattern = substr($0, 13, length($0) - 16)
    gsub(/\047/, "\047\\\047\047", pattern)
    printf "shows %d \047%s\047\n", NR, pattern
  }
  !inside && /^<!-- never: .* -->$/ { printf "never %d \047%s\047\n", NR, substr($0, 13, length($0) - 16) }' "$document" | elsewhere >"$work/guide.sh"
[ "$(grep -c '^# line ' "$work/guide.sh")" -gt 2 ] || { echo "guide: $name has nothing to follow" >&2; exit 1; }

mkdir "$work/deploy"
ln -s "$root"/deploy/* "$work/deploy/"
ln -s "$root/docs" "$work/docs"
cd "$work"
if grep -qE '^```sh (root|person)$' "$document"; then
  rm deploy/install-dependencies
  ln -s "$root/tests/e2e/stand-ins/install-dependencies" deploy/install-dependencies
  mkdir -p machine/{etc,run,var/lib,usr/local/bin}
  export PATH=$root/tests/e2e/stand-ins:$work/machine/usr/local/bin:$PATH
fi
# As in the reader's shell, but not forgiving: a pipe fails with its first part, a variable must be set.
# Each command's output is there before the next one's, for `shows`.
{
  cat <<'SH'
trap 'echo "guide: failed: $BASH_COMMAND"' ERR
shows() {
  grep -qE -e "$2" "$GUIDE_OUTPUT" || { echo "guide: line $1: missing in the output: $2"; exit 1; }
}
never() {
  ! grep -qE -e "$2" "$GUIDE_OUTPUT" || { echo "guide: line $1: in the output: $2"; exit 1; }
}
SH
  cat guide.sh
} >strict.sh
GUIDE_OUTPUT=$work/output bash -euo pipefail strict.sh >output 2>&1 </dev/null
[ -z "${GUIDE_SHOW:-}" ] || cat output

# Whatever a guide does, it prints no secret.
for secret in coffer-demo/tokens/{crm,officer,privacy,admin,supervisor,worker} coffer-demo/root.key \
  machine/etc/coffer/secrets/*; do
  [ -f "$secret" ] || continue
  ! grep -qF "$(head -n 1 "$secret")" output coffer-demo/*.log machine/run/*.log 2>/dev/null ||
    { echo "guide: $secret was printed" >&2; exit 1; }
done
