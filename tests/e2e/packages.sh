#!/usr/bin/env bash
# Tries packages in a bare system of their Debian release: install, make a vault, start, store and read,
# upgrade over the running vault, remove, install again, purge. For root; takes some minutes, a network
# and 2 GB below /var/tmp. Not a part of deploy/test.
#   packages.sh DIRECTORY [SYSTEM [BEFORE]]      with the .deb files; deploy/package --try
# SYSTEM is a bare system that debootstrap made before, of which a copy is used; empty: one is made.
# BEFORE has the .deb files of an older version, for the upgrade. Without, it is from the same programs
# under a lower number, and a vault of tests/golden is what an older version has left.
#
# With systemd-nspawn (systemd-container) and a machine that lets it, the system is booted, and systemd
# starts the server as the unit says. Else it is entered by chroot, and the server is started by hand:
# what the unit and the restart of an upgrade do is not tried then, which is said.
set -euo pipefail

say() { printf 'packages: %s\n' "$*"; }
die() { printf 'packages: %s\n' "$*" >&2; exit 1; }

# --- Inside -------------------------------------------------------------------------------------------

booted() { [ -d /run/systemd/system ]; }
# Of a server that is started by hand.
server=

start() {
  if booted; then
    systemctl start cofferd
  else
    CREDENTIALS_DIRECTORY=/etc/coffer/secrets cofferd --config "${1:-/etc/coffer/coffer.toml}" >>/var/log/cofferd.log 2>&1 &
    server=$!
    for ((i = 0; i < 600; i++)); do
      ! curl --silent --fail --cacert /etc/coffer/tls/server.pem --output /dev/null https://127.0.0.1:8443/health/ready || return 0
      kill -0 "$server" || break
      sleep 0.1
    done
    cat /var/log/cofferd.log >&2
    die "the server did not become ready"
  fi
}
stop() {
  if booted; then
    systemctl stop cofferd
  else
    [ -n "$server" ] || return 0
    kill "$server"
    wait "$server"
    server=
  fi
}
runs() { pgrep -x cofferd >/dev/null; }
# is WHAT EXPECTED GOT
is() { [ "$2" = "$3" ] || die "$1: expected '$2', got '$3'"; }
apt() { apt-get -y -q --no-install-recommends "$@" </dev/null >>/try/apt.log 2>&1 || { tail -n 40 /try/apt.log >&2; die "apt-get $* failed"; }; }
# What the packages said in the last call.
said() { grep "^coffer-server: " /try/apt.log || true; }
forget() { : >/try/apt.log; }

read_record() {
  coffer get "$client" --purpose client-care --token-file /try/crm.token 2>&1 | grep -q tamsin.tealeaf@example.com ||
    die "the record cannot be read"
}

# verify NAME OPTION...: all that lies in a vault is opened and compared with its log.
verify() {
  coffer verify --data "/var/lib/coffer/$1" --deep "${@:2}" >/try/verify.log 2>&1 ||
    { cat /try/verify.log >&2; die "the vault is not whole"; }
}

inside() {
  export DEBIAN_FRONTEND=noninteractive COFFER_URL=https://127.0.0.1:8443 COFFER_CA=/etc/coffer/tls/server.pem
  local admin=/etc/coffer/secrets/admin.token folder pid before client
  if booted; then say "in a system that systemd has booted"; else say "in a chroot, without systemd: the unit is not tried"; fi
  apt update
  apt install curl jq openssl procps

  say "install, of the version before"
  forget
  apt install /try/before/*.deb
  said | grep -q 'nothing was started' || die "a fresh install does not say what to do"
  ! runs || die "a fresh install started a server"
  is "the account" coffer "$(getent passwd coffer | cut -d : -f 1)"
  is "the data directory" "700 coffer" "$(stat -c '%a %U' /var/lib/coffer)"
  is "the anchor's directory" "700 coffer" "$(stat -c '%a %U' /var/lib/coffer-anchor)"
  is "the directory of secrets" "700 root" "$(stat -c '%a %U' /etc/coffer/secrets)"
  is "files that dpkg would ask about" "" "$(dpkg-query -W -f '${Conffiles}' coffer coffer-server coffer-doc)"
  is "files that are not as packed" "" "$(dpkg --verify coffer coffer-server coffer-doc)"
  if booted; then
    is "the unit" disabled "$(systemctl is-enabled cofferd || true)"
    ! systemctl start cofferd 2>/dev/null || die "a start without configuration succeeded"
    systemctl stop cofferd
    systemctl reset-failed cofferd 2>/dev/null || true
  fi

  say "make a vault, start it, store and read a record"
  coffer init --data /var/lib/coffer/vault --root-key-file /etc/coffer/secrets/root.key --origin vault.example.org/log \
    --anchor /var/lib/coffer-anchor/anchor --admin-token-file $admin --single-person >/try/init.log
  [ "$(stat -c %U /var/lib/coffer/vault/vault.db)" = coffer ] || die "the vault is not the account's"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 397 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
    -keyout /etc/coffer/tls/server.key -out /etc/coffer/tls/server.pem 2>/try/openssl.log
  chown root:coffer /etc/coffer/tls/server.key
  chmod 0640 /etc/coffer/tls/server.key
  cat >/etc/coffer/coffer.toml <<'TOML'
[server]
certificate = "/etc/coffer/tls/server.pem"
private_key = "/etc/coffer/tls/server.key"

[vault]
directory = "/var/lib/coffer/vault"
anchor = "/var/lib/coffer-anchor/anchor"
erasure_ledger = "/var/lib/coffer-anchor/erasures.ledger"
root_key_file = "credential:root-key"
TOML
  booted || ln -s root.key /etc/coffer/secrets/root-key
  if booted; then
    systemctl enable --now cofferd || { journalctl --no-pager -u cofferd | tail -n 20; die "the server does not start"; }
  else
    start
  fi
  coffer purpose put /usr/share/coffer/purposes/*.json --token-file $admin >/try/put.log
  coffer class put /usr/share/coffer/classes/*.json --token-file $admin >>/try/put.log
  coffer token create --name crm --role crm-service --out /try/crm.token --token-file $admin >>/try/put.log
  printf 'Id,Name,Mail\nTOUR-1,Tealeaf,tamsin.tealeaf@example.com\n' >/try/one.csv
  coffer import /try/one.csv --class contact --key Id --map last_name=Name --map email=Mail --purpose client-care \
    --token-file /try/crm.token >>/try/put.log
  client=$(coffer search contact email tamsin.tealeaf@example.com --purpose client-care --token-file /try/crm.token |
    grep -oE 'cli_[0-9a-z]{26}' | head -n 1)
  read_record

  say "upgrade over the running vault"
  forget
  if booted; then
    pid=$(systemctl show -P MainPID cofferd)
  fi
  apt install /try/packages/*.deb
  is "the upgrade asks for nothing" "" "$(said)"
  if booted; then
    is "after the upgrade" active "$(systemctl is-active cofferd)"
    is "the timer of drills" disabled "$(systemctl is-enabled coffer-drill.timer || true)"
    is "signs of life that systemd waits for" 2min "$(systemctl show -P WatchdogUSec cofferd)"
    [ "$(systemctl show -P MainPID cofferd)" != "$pid" ] || die "the upgrade did not restart the server"
  else
    stop
    start
  fi
  is "a program that is not the new one" "" "$(find /proc/"$(pgrep -x cofferd)"/exe -lname '*(deleted)')"
  read_record
  if booted; then
    systemctl reload cofferd
    read_record
    say "an upgrade to a version that does not start says so, and loses nothing"
    forget
    cp /etc/coffer/coffer.toml /try/coffer.toml
    echo 'nonsense = 1' >>/etc/coffer/coffer.toml
    apt install --reinstall /try/packages/*.deb
    said | grep -q 'did not come back' || die "it says nothing of a server that did not come back"
    cp /try/coffer.toml /etc/coffer/coffer.toml
    systemctl start cofferd
    read_record
  fi

  say "what the version before has stored is whole"
  stop
  verify vault --anchor /var/lib/coffer-anchor/anchor --root-key-file /etc/coffer/secrets/root.key

  say "a server that stood still stays so over an upgrade"
  apt install --reinstall /try/packages/*.deb
  ! runs || die "an upgrade started a server that was stopped"

  say "remove: all data is kept"
  start
  forget
  if booted; then before=; else stop; fi
  apt remove coffer coffer-server
  ! runs || die "a server runs after its package was removed"
  [ ! -e /usr/bin/cofferd ] || die "the program is still there"
  before=$(find /etc/coffer /var/lib/coffer /var/lib/coffer-anchor -type f -exec sha256sum {} + | sort)
  for folder in vault/vault.db vault/keys.db vault/keyring.json; do
    [ -s /var/lib/coffer/$folder ] || die "$folder is gone"
  done

  say "purge: all data is kept, and it is said where"
  forget
  apt purge coffer coffer-server coffer-doc
  said | grep -q 'kept.*/etc/coffer/secrets.*/var/lib/coffer /var/lib/coffer-anchor' || die "purge does not say where data lies"
  is "what purge has left" "$before" "$(find /etc/coffer /var/lib/coffer /var/lib/coffer-anchor -type f -exec sha256sum {} + | sort)"
  is "the account after purge" coffer "$(stat -c %U /var/lib/coffer/vault/vault.db)"

  say "install again: the vault is there"
  forget
  apt install /try/packages/*.deb
  is "it asks for nothing" "" "$(said)"
  start
  read_record
  stop
  verify vault --anchor /var/lib/coffer-anchor/anchor --root-key-file /etc/coffer/secrets/root.key

  say "data of a version before is taken over"
  cp -r /try/golden/vault-0009 /var/lib/coffer/golden
  rm -f /var/lib/coffer/golden/known.json
  chown -R coffer: /var/lib/coffer/golden
  chmod -R go= /var/lib/coffer/golden
  (umask 077; printf '%064d\n' 0 | tr 0 1 >/try/golden.key)
  sed -e 's#/var/lib/coffer/vault#/var/lib/coffer/golden#' -e '/^anchor\|^erasure_ledger/d' \
    -e 's#credential:root-key#/try/golden.key#' /etc/coffer/coffer.toml >/try/golden.toml
  (
    booted() { false; }
    start /try/golden.toml
    stop
  )
  verify golden --root-key-file /try/golden.key

  say "purge of a machine that had no vault leaves nothing"
  rm -r /var/lib/coffer/* /var/lib/coffer-anchor/* /etc/coffer/*
  forget
  apt purge coffer coffer-server coffer-doc
  is "it speaks of data that is not there" "" "$(said)"
  for folder in /etc/coffer /var/lib/coffer /var/lib/coffer-anchor; do
    [ ! -e $folder ] || die "purge left $folder"
  done
  echo passed >/try/result
  say "all of it went well"
}

if [ "${1:-}" = --inside ]; then
  inside
  exit
fi

# --- Outside ------------------------------------------------------------------------------------------

packages=$(realpath -- "${1:?packages.sh DIRECTORY [SYSTEM [BEFORE]]}")
system=${2:-}
before=${3:+$(realpath -- "$3")}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ "$(id -u)" = 0 ] || die "it takes root to make a bare system"
command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap, and systemd-container to boot"
case $(echo "$packages"/coffer-server_*.deb) in
  *+deb12_*.deb) suite=bookworm ;;
  *+deb13_*.deb) suite=trixie ;;
  *) die "there are no packages in $packages: run deploy/package" ;;
esac

work=$(mktemp -d /var/tmp/coffer-try-XXXXXX)
machine=$work/machine
container=
finish() {
  local status=$?
  [ -z "$container" ] || { kill "$container" 2>/dev/null && wait "$container"; } || true
  # Nothing of this machine is below it: what is mounted there is in name spaces that have ended.
  if findmnt -rno TARGET | grep -q "^$work/"; then
    say "$work is left: something is mounted there" >&2
  else
    rm -rf --one-file-system "$work"
  fi
  exit "$status"
}
trap finish EXIT

say "making a bare system of $suite"
if [ -n "$system" ]; then
  cp -a --one-file-system -- "$system" "$machine"
else
  debootstrap --variant=minbase --include=ca-certificates,systemd,systemd-sysv,dbus,init "$suite" "$machine" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log" >&2; die "debootstrap failed"; }
fi
[ "$suite" != bookworm ] ||
  echo "deb http://deb.debian.org/debian bookworm-backports main" >"$machine/etc/apt/sources.list.d/backports.list"
mkdir -p "$machine/try/packages" "$machine/try/before"
cp "$packages"/*.deb "$machine/try/packages/"
cp -r "$root/tests/golden" "$machine/try/golden"
cp "${BASH_SOURCE[0]}" "$machine/try/packages.sh"
cp -L /etc/resolv.conf "$machine/etc/resolv.conf"
[ -z "$before" ] || cp "$before"/*.deb "$machine/try/before/"
for deb in "$packages"/*.deb; do
  [ -z "$before" ] || break
  dpkg-deb -R "$deb" "$work/repacked"
  version=$(sed -n 's/^Version: //p' "$work/repacked/DEBIAN/control")
  control=$(<"$work/repacked/DEBIAN/control")
  printf '%s\n' "${control//"$version"/0.0.9}" >"$work/repacked/DEBIAN/control"
  dpkg-deb --root-owner-group -b "$work/repacked" "$machine/try/before/$(basename "$deb")" >/dev/null
  rm -r "$work/repacked"
done

boots() {
  command -v systemd-nspawn >/dev/null || return 1
  cat >"$machine/etc/systemd/system/try.service" <<'UNIT'
[Unit]
Wants=network-online.target
[Service]
Type=oneshot
Environment=HOME=/root
ExecStart=/bin/bash /try/packages.sh --inside
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=file:/try/output
StandardError=inherit
TimeoutStartSec=1200
UNIT
  ln -sf /etc/systemd/system/try.service "$machine/etc/systemd/system/multi-user.target.wants/try.service"
  # Without the capability a container may lock no memory, whatever its limit is.
  systemd-nspawn --quiet --capability=CAP_IPC_LOCK --register=no --keep-unit --directory="$machine" --machine=coffer-try --link-journal=no \
    --console=pipe --boot </dev/null >"$work/boot.log" 2>&1 &
  container=$!
  tail --pid=$container --retry -n +1 -f "$machine/try/output" 2>/dev/null || true
  wait "$container" || true
  container=
  [ -s "$machine/try/output" ]
}

if ! boots; then
  say "it cannot be booted here: entering it by chroot"
  rm -f "$machine"/etc/systemd/system/{try.service,multi-user.target.wants/try.service}
  # shellcheck disable=SC2016 # for the shell in there
  unshare --mount --propagation private --pid --fork --kill-child bash -euc '
    mount -t proc proc "$1/proc"
    mount --bind /dev "$1/dev"
    exec chroot "$1" env -i PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 bash /try/packages.sh --inside' _ "$machine"
fi
[ "$(cat "$machine/try/result" 2>/dev/null)" = passed ] || die "it failed, as told above"
