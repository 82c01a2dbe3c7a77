#!/usr/bin/env bash
# postgres.sh start | stop | url [ROLE [DATABASE]]: the private PostgreSQL of one state directory (PARLEY_STATE).
#
# It listens on a Unix socket alone, in a directory of mode 0700, and trusts nobody there: services prove themselves with the
# passwords that svc-auth --init gave their roles, and parley_admin is the operating-system user who started this, and no
# other. PostgreSQL refuses to run as root: for root it runs as user postgres. Where that
# user cannot reach the state directory, or the path is too long for a socket, the database goes to a directory of its
# own, and $PARLEY_STATE/postgres is a link to it.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
state=${PARLEY_STATE:?}
export LC_ALL=C.UTF-8

as_owner() { # run as the user that PostgreSQL runs as
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/ "$@"
  else
    "$@"
  fi
}

home() { readlink -e "$state/postgres"; } # status 1 when there is none yet

# $home/socket/.s.PGSQL.5432.lock must fit into 107 bytes
suits() { [ ${#1} -le 70 ] && (cd / && as_owner test -x "$1") 2>/dev/null; }

make_home() {
  local at=$state/postgres
  rm -f "$at" # a link to nowhere
  mkdir -p "$state"
  if suits "$(readlink -f "$state")"; then
    mkdir -m 700 "$at"
  else
    local parent=/var/tmp
    [ "$(id -u)" != 0 ] || parent=/var/lib
    ln -s "$(mktemp -d "$parent/parley-XXXXXXXX")" "$at"
    say "the database lives in $(home): ${1:-PostgreSQL cannot reach $state}"
  fi
  [ "$(id -u)" != 0 ] || chown postgres:postgres "$(home)"
}

initialise() { # HOME BIN
  local home=$1 bin=$2
  as_owner mkdir -p -m 700 "$home/socket"
  rm -rf "$home/data.new"
  if [ -n "${PARLEY_POSTGRES_TEMPLATE:-}" ]; then # a cluster of this kind, stopped (tests start many)
    as_owner cp -r "$PARLEY_POSTGRES_TEMPLATE" "$home/data.new"
    chmod 700 "$home/data.new"
    as_owner mv "$home/data.new" "$home/data"
    return
  fi
  as_owner "$bin/initdb" --pgdata="$home/data.new" --username=parley_admin --auth=trust --encoding=UTF8 \
    --locale=C.UTF-8 --data-checksums --no-sync >"$state/log/initdb.log" 2>&1 ||
    die "initdb failed:" "$(tail -n 5 "$state/log/initdb.log")"
  as_owner tee -a "$home/data.new/postgresql.conf" >/dev/null <<CONF
# Parley: small, and for this machine alone.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 64MB
max_wal_size = 1GB
wal_level = minimal
max_wal_senders = 0
jit = off
log_line_prefix = '%m [%p] %u '
CONF
  sync -f "$home"
  as_owner mv "$home/data.new" "$home/data" # whole, or not there at all
}

# At each start, so that a cluster of an earlier version trusts nobody any more either.
restrict() {
  local hba=$'local all,replication parley_admin peer map=parley\nlocal all all scram-sha-256' ident
  ident="parley $(id -un) parley_admin"
  if [ "$(<"$home/data/pg_hba.conf")" = "$hba" ] && [ "$(<"$home/data/pg_ident.conf")" = "$ident" ]; then return; fi
  echo "$hba" | as_owner tee "$home/data/pg_hba.conf" >/dev/null
  echo "$ident" | as_owner tee "$home/data/pg_ident.conf" >/dev/null
  ! running || (cd / && as_owner "$bin/pg_ctl" --pgdata="$home/data" reload) >/dev/null 2>&1
}

# As pg_ctl status has it, without a program. After a restart of the machine the number may be somebody else's.
running() {
  local pid name
  read -r pid 2>/dev/null <"$home/data/postmaster.pid" && read -r name 2>/dev/null <"/proc/$pid/comm" && [[ $name == postgre* ]]
}

# Once: what is noted beside the data goes with them.
make_database() {
  [ ! -e "$home/data/parley-made" ] || return 0
  "$bin/psql" -qAtX "$(url parley_admin postgres)" -c "SELECT 1 FROM pg_database WHERE datname = 'parley'" | grep -q 1 ||
    "$bin/psql" -qX "$(url parley_admin postgres)" -c "CREATE DATABASE parley" >/dev/null
  as_owner touch "$home/data/parley-made"
}

# The programs of the version that made the data; of the newest for fresh data.
find_bin() {
  local version
  if [ -e "$home/data/PG_VERSION" ]; then
    version=$(<"$home/data/PG_VERSION")
    bin=/usr/lib/postgresql/$version/bin
    [ -x "$bin/postgres" ] || die "the database in $home was made by PostgreSQL $version, which is not installed any more" \
      "Install postgresql-$version, or dump and restore it with pg_dump."
  else
    bin=$(postgres_bin) || die "PostgreSQL is missing: run \`make deps\`"
  fi
  [ -e "$(postgres_vector "$bin")" ] || die "PostgreSQL's extension pgvector is missing: run \`make deps\`"
}

start() {
  mkdir -p "$state/log"
  home=$(home) || { make_home && home=$(home); }
  find_bin
  [ -e "$home/data/PG_VERSION" ] || initialise "$home" "$bin"
  restrict
  [ -e "$state/log/postgres.log" ] || ln -sf "$home/postgres.log" "$state/log/postgres.log"
  running || (cd / && as_owner "$bin/pg_ctl" --pgdata="$home/data" --log="$home/postgres.log" --timeout=120 --wait \
    --options="-c unix_socket_directories='$home/socket' ${PARLEY_POSTGRES_OPTIONS:-}" start) >/dev/null 2>&1 ||
    die "PostgreSQL does not start:" "$(tail -n 5 "$home/postgres.log")"
  make_database
}

stop() {
  home=$(home) || return 0
  [ -e "$home/data/PG_VERSION" ] || return 0
  find_bin
  ! running || (cd / && as_owner "$bin/pg_ctl" --pgdata="$home/data" --mode=fast --timeout=60 --wait stop) >/dev/null 2>&1 ||
    ! running || die "PostgreSQL in $home does not stop"
}

# A connection string in libpq's form. No host name, and no password: libpq takes a service's from PGPASSWORD.
url() { # ROLE DATABASE; without a role, one may follow
  local socket
  socket=$(home)/socket
  socket=${socket//\\/\\\\}
  echo "host='${socket//\'/\\\'}' dbname=$2${1:+ user=$1}"
}

case ${1:-} in
start) start ;;
stop) stop ;;
url) url "${2:-}" "${3:-parley}" ;;
*) die "postgres.sh start | stop | url [ROLE [DATABASE]]" ;;
esac
