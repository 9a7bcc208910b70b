#!/usr/bin/env bash
# The servers that Coffer is compared with, for tests/bench/run, which includes this: Debian's, on
# 127.0.0.1, in $scratch. What runs is noted in `started` by its id, each the leader of a group.

scratch=
started=()

missing() { printf 'bench: %s\n' "$*" >&2; exit 2; }

# Sets `postgres_bin` or `nginx`, or says what to install.
find_postgres() {
  postgres_bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1) || true
  local program
  for program in initdb postgres pgbench psql; do
    [ -x "$postgres_bin/$program" ] ||
      missing "--against postgres needs $program: apt-get install postgresql (its service need not run)"
  done
  [ -e "/usr/share/postgresql/$(basename "$(dirname "$postgres_bin")")/extension/pgcrypto.control" ] ||
    missing "--against postgres needs pgcrypto: apt-get install postgresql-contrib"
}
find_nginx() {
  for nginx in build/tools/usr/sbin/nginx /usr/sbin/nginx; do
    ! "$nginx" -v 2>/dev/null || return 0
  done
  missing "--against nginx needs nginx: deploy/install-dependencies --test, which unpacks it, or apt-get install nginx"
}

free_port() {
  local port
  while port=$(shuf -n 1 -i 30000-32767); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

make_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=Coffer bench' \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$scratch/tls.key" -out "$scratch/tls.crt" 2>/dev/null
}

# until_ready NAME LOG COMMAND...: as long as what was started last lives, half a minute at most.
until_ready() {
  local name=$1 log=$2 tries
  shift 2
  for ((tries = 0; tries < 300; ++tries)); do
    ! "$@" >/dev/null 2>"$scratch/refused" || return 0
    kill -0 "${started[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 10 "$log" "$scratch/refused" >&2
  echo "bench: $name did not start" >&2
  exit 1
}

# PostgreSQL refuses to be root. Its group commit, fsync and the rest are as Debian has them, but for
# the memory, which holds all data, and checkpoints, which come seldom.
start_postgres() { # clients
  local home=$scratch/postgres as=() account port
  PGPASSWORD=$(openssl rand -hex 16) COFFER_BENCH_POSTGRES_KEY=$(openssl rand -hex 32)
  port=$(free_port)
  export PGPASSWORD PGHOST=127.0.0.1 PGPORT=$port PGUSER=bench PGDATABASE=postgres PGSSLMODE=verify-full \
    PGSSLROOTCERT=$scratch/tls.crt COFFER_BENCH_POSTGRES=$postgres_bin COFFER_BENCH_POSTGRES_KEY
  mkdir "$home"
  install -m 0600 "$scratch/tls.key" "$home/tls.key"
  printf '%s\n' "$PGPASSWORD" >"$home/password"
  if [ "$(id -u)" = 0 ]; then
    account=postgres
    id -u postgres >/dev/null 2>&1 || account=nobody
    as=(setpriv "--reuid=$account" "--regid=$(id -g "$account")" --clear-groups)
    chown -R "$account:" "$home"
    "${as[@]}" test -w "$home" || missing "the account $account cannot get at $scratch: choose another --dir"
  fi
  (cd "$home" && "${as[@]}" "$postgres_bin/initdb" -D data -U bench -E UTF8 --locale=C --auth=scram-sha-256 \
    --pwfile=password) >"$scratch/initdb.log" 2>&1 ||
    { tail -n 20 "$scratch/initdb.log" >&2; echo "bench: initdb failed" >&2; exit 1; }
  echo 'hostssl all all 127.0.0.1/32 scram-sha-256' >"$home/data/pg_hba.conf"
  (cd "$home" && exec setsid "${as[@]}" "$postgres_bin/postgres" -D data -c listen_addresses=127.0.0.1 -c "port=$port" \
    -c unix_socket_directories= -c ssl=on -c "ssl_cert_file=$scratch/tls.crt" -c "ssl_key_file=$home/tls.key" \
    -c fsync=on -c synchronous_commit=on -c shared_buffers=512MB -c max_wal_size=4GB) >"$scratch/postgres.log" 2>&1 &
  started+=($!)
  until_ready PostgreSQL "$scratch/postgres.log" "$postgres_bin/psql" --no-psqlrc -c 'SELECT 1'
  "$postgres_bin/psql" --no-psqlrc -q -v ON_ERROR_STOP=1 -v "clients=$1" -v "key=$COFFER_BENCH_POSTGRES_KEY" \
    -f tests/bench/postgres/schema.sql
}

start_nginx() {
  local home=$scratch/nginx port name
  port=$(free_port)
  mkdir -p "$home/files" "$home/temporary"
  head -c 1024 /dev/zero | tr '\0' x >"$home/files/1k"
  chmod -R a+rX "$home/files"
  {
    [ "$(id -u)" != 0 ] || echo 'user nobody nogroup;'
    printf '%s\n' 'worker_processes auto;' "pid $home/pid;" 'daemon off;' 'events {}' 'http {' 'access_log off;' \
      'keepalive_requests 1000000000;' 'open_file_cache max=10;'
    for name in client_body proxy fastcgi uwsgi scgi; do echo "${name}_temp_path $home/temporary/$name;"; done
    printf '%s\n' "server { listen 127.0.0.1:$port ssl; root $home/files;" \
      "ssl_certificate $scratch/tls.crt; ssl_certificate_key $scratch/tls.key;" 'ssl_protocols TLSv1.3; } }'
  } >"$home/nginx.conf"
  setsid "$nginx" -p "$home" -e stderr -c "$home/nginx.conf" >"$scratch/nginx.log" 2>&1 &
  started+=($!)
  export COFFER_BENCH_NGINX=https://127.0.0.1:$port
  until_ready nginx "$scratch/nginx.log" curl -fsS --cacert "$scratch/tls.crt" -o "$home/answer" "$COFFER_BENCH_NGINX/1k"
  cmp -s "$home/answer" "$home/files/1k" || { echo "bench: nginx answers something else" >&2; exit 1; }
}

# The last first. Nothing that they hold is kept, so QUIT: PostgreSQL's immediate end, after which it
# leaves no shared memory behind. What does not heed it is killed, with all of its group.
stop_started() {
  local i tries
  for ((i = ${#started[@]} - 1; i >= 0; --i)); do
    kill -QUIT "${started[i]}" 2>/dev/null || continue
    for ((tries = 0; tries < 50; ++tries)); do
      kill -0 "${started[i]}" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL -- "-${started[i]}" "${started[i]}" 2>/dev/null || true
    wait "${started[i]}" 2>/dev/null || true
  done
}
