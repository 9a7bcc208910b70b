#!/usr/bin/env bash
# Tries the container image for real: a vault is made in volumes, served, stored in and read from, over a
# root file system that is read-only, by an account without capabilities; stopped, and served again.
# For root; takes umoci and runc. Not a part of deploy/test.
#   image.sh DIRECTORY       with the image; deploy/image --try
set -euo pipefail
directory=$(realpath -- "${1:?image.sh DIRECTORY}")

say() { printf 'image: %s\n' "$*"; }
die() { printf 'image: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "it takes root to start a container without an engine"
for tool in umoci runc jq; do
  command -v "$tool" >/dev/null || die "$tool is missing: apt-get install $tool"
done
image=$(echo "$directory"/coffer-image_*.oci.tar)
[ -f "$image" ] || die "there is no image in $directory: run deploy/image"

work=$(mktemp -d /var/tmp/coffer-try-XXXXXX)
name=coffer-try-$$
finish() {
  local status=$?
  runc --root "$work/state" delete --force "$name" >/dev/null 2>&1 || true
  [ "$status" = 0 ] || tail -n 20 "$work/server.log" >&2 2>/dev/null || true
  if findmnt -rno TARGET | grep -q "^$work/"; then
    say "$work is left: something is mounted there" >&2
  else
    rm -rf --one-file-system "$work"
  fi
  exit "$status"
}
trap finish EXIT

# Not every machine lets root raise its own limit.
locked=$(ulimit -H -l)
[ "$locked" != unlimited ] && [ "$locked" -lt 65536 ] || locked=65536
locked=$((locked * 1024))

mkdir "$work/layout" "$work/etc" "$work/data" "$work/anchor"
tar -x -C "$work/layout" -f "$image"
umoci unpack --image "$work/layout:latest" "$work/bundle" >"$work/unpack.log" 2>&1 || { cat "$work/unpack.log" >&2; die "umoci cannot unpack it"; }
[ "$(jq -r '.process.user.uid' "$work/bundle/config.json")" = 8443 ] || die "it does not run as 8443"
# As the engine does with new volumes: what the image has there.
cp -a "$work/bundle/rootfs/etc/coffer/." "$work/etc/"
chown 8443:8443 "$work/etc" "$work/data" "$work/anchor"
chmod 0700 "$work/data" "$work/anchor"

# configure COMMAND...: the next container. Its network is its own, with nobody else in it.
configure() {
  jq --arg work "$work" --argjson locked "$locked" '
    .process.terminal = false | .root.readonly = true | .process.noNewPrivileges = true
    | .process.capabilities = {bounding: [], effective: [], inheritable: [], permitted: [], ambient: []}
    | .process.rlimits = [{type: "RLIMIT_MEMLOCK", hard: $locked, soft: $locked}]
    | .process.args = $ARGS.positional
    | .mounts += ([["etc", "/etc/coffer"], ["data", "/var/lib/coffer"], ["anchor", "/var/lib/coffer-anchor"]]
      | map({destination: .[1], source: "\($work)/\(.[0])", type: "bind", options: ["bind", "rw", "nosuid", "nodev"]}))
    | .mounts += [{destination: "/tmp", source: "tmpfs", type: "tmpfs", options: ["nosuid", "nodev", "size=16m"]}]
    ' "$work/config.json" --args -- "$@" >"$work/bundle/config.json"
}
cp "$work/bundle/config.json" "$work/config.json"
container() { runc --root "$work/state" "$@"; }
inside() { container exec --env COFFER_URL=https://127.0.0.1:8443 --env COFFER_CA=/etc/coffer/tls/server.pem "$name" "$@"; }

start() {
  configure cofferd --config /etc/coffer/coffer.toml
  container run --detach --bundle "$work/bundle" "$name" </dev/null >>"$work/server.log" 2>&1 || die "the container did not start"
  for ((i = 0; i < 600; i++)); do
    ! inside curl --silent --fail --insecure --max-time 5 --output /dev/null https://127.0.0.1:8443/health/ready 2>/dev/null || return 0
    [ "$(container state "$name" | jq -r .status)" = running ] || break
    sleep 0.1
  done
  die "the server did not become ready"
}
stop() {
  container kill "$name" TERM
  for ((i = 0; i < 600; i++)); do
    [ "$(container state "$name" | jq -r .status)" = running ] || break
    sleep 0.1
  done
  container delete "$name"
  grep -q '"message":"stopped"' "$work/server.log" || die "it was not stopped in order"
}

say "a vault is made in the volumes"
configure coffer init --data /var/lib/coffer/vault --root-key-file /etc/coffer/secrets/root.key \
  --origin vault.example.org/log --anchor /var/lib/coffer-anchor/anchor \
  --admin-token-file /etc/coffer/secrets/admin.token --single-person
container run --bundle "$work/bundle" "$name" </dev/null >"$work/init.log" 2>&1 || { cat "$work/init.log" >&2; die "init failed"; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=localhost \
  -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
  -keyout "$work/etc/tls/server.key" -out "$work/etc/tls/server.pem" 2>"$work/openssl.log"
chown 8443:8443 "$work/etc/tls/server.key"
cat >"$work/etc/coffer.toml" <<'TOML'
[server]
address = "0.0.0.0"
certificate = "/etc/coffer/tls/server.pem"
private_key = "/etc/coffer/tls/server.key"

[vault]
directory = "/var/lib/coffer/vault"
anchor = "/var/lib/coffer-anchor/anchor"
erasure_ledger = "/var/lib/coffer-anchor/erasures.ledger"
root_key_file = "/etc/coffer/secrets/root.key"
TOML

say "served, stored in and read from"
start
admin=/etc/coffer/secrets/admin.token
inside sh -c "coffer purpose put /usr/share/coffer/purposes/*.json --token-file $admin &&
  coffer class put /usr/share/coffer/classes/*.json --token-file $admin &&
  coffer token create --name crm --role crm-service --out /etc/coffer/secrets/crm.token --token-file $admin &&
  printf 'Id,Name,Mail\nTOUR-1,Tealeaf,tamsin.tealeaf@example.com\n' >/tmp/one.csv &&
  coffer import /tmp/one.csv --class contact --key Id --map last_name=Name --map email=Mail --purpose client-care \
    --token-file /etc/coffer/secrets/crm.token" >"$work/put.log" 2>&1 || { cat "$work/put.log" >&2; die "storing failed"; }
read_record() {
  inside coffer search contact email tamsin.tealeaf@example.com --purpose client-care \
    --token-file /etc/coffer/secrets/crm.token | grep -qE '^cli_[0-9a-z]{26}' || die "the record is not found"
}
read_record

say "without capabilities, over a root file system that nothing can write to"
[ "$(inside id -u)" = 8443 ] || die "it does not run as 8443"
inside sh -c 'grep -E "^Cap(Prm|Eff|Bnd)" /proc/1/status | grep -qv "0000000000000000$"' && die "the server has capabilities"
for place in /usr/bin/new /etc/new /var/lib/new; do
  ! inside touch "$place" 2>/dev/null || die "$place can be written"
done

say "stopped, and served again"
stop
start
read_record
stop
say "all of it went well"
