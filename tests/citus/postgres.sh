#!/usr/bin/env bash
# postgres.sh start | stop | url: in the place of common/scripts/postgres.sh (one.sh here) while run.sh tests: a Citus cluster of one
# coordinator and two workers instead of one server. CITUS_TEMPLATE holds the three, stopped, as run.sh has made them ready; without
# it they begin empty. All of it is below the coordinator's own home, and listens on Unix sockets alone.
set -euo pipefail
here=$(dirname "$0")
state=${PARLEY_STATE:?}
one=$here/one.sh
bin=$(. "$here/lib.sh" && postgres_bin)

as_owner() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/ "$@"; else "$@"; fi; }
at() { # NODE DATABASE SQL
  local socket=$home/socket
  [ "$1" = coordinator ] || socket=$home/$1/socket
  as_owner "$bin/psql" -qAtX -v ON_ERROR_STOP=1 "host=$socket user=parley_admin dbname=$2" -c "$3"
}

node_options="-c shared_preload_libraries=citus -c max_prepared_transactions=200 -c max_connections=400 -c fsync=off"
node_options+=" -c citus.shard_count=8 -c timezone=America/New_York"

start_worker() { # NODE; its clock shows another time than the coordinator's, as some would
  local dir=$home/$1
  if [ ! -e "$dir/data" ]; then
    as_owner mkdir -p -m 700 "$dir/socket"
    if [ -n "${CITUS_TEMPLATE:-}" ]; then
      as_owner cp -r "$CITUS_TEMPLATE/$1" "$dir/data"
    else
      as_owner "$bin/initdb" --pgdata="$dir/data" --username=parley_admin --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
    fi
  fi
  (cd / && as_owner "$bin/pg_ctl" --pgdata="$dir/data" --log="$dir/log" --wait --timeout=120 \
    --options="-c listen_addresses='' -c unix_socket_directories='$dir/socket' $node_options" start) >/dev/null
}

join() { # the first time: databases, extensions, and who belongs to the cluster
  local node
  for node in worker1 worker2; do
    at $node postgres "CREATE DATABASE parley"
    at $node parley "CREATE EXTENSION citus; CREATE EXTENSION vector"
  done
  at coordinator parley "CREATE EXTENSION citus; SELECT citus_set_coordinator_host('$home/socket', 5432)" >/dev/null
  for node in worker1 worker2; do
    at coordinator parley "SELECT citus_add_node('$home/$node/socket', 5432)" >/dev/null
  done
}

# A copy stands elsewhere than what it was copied from.
move() {
  at coordinator parley "SELECT citus_update_node(nodeid, '$home/' || CASE groupid WHEN 0 THEN '' ELSE 'worker' || groupid || '/' END || 'socket', 5432)
    FROM pg_dist_node ORDER BY nodeid" >/dev/null
  # Citus 13.0 may fall over its own maintenance daemon here, which begins at the same moment; it recovers by itself.
  for _ in 1 2 3 4; do
    at coordinator parley "SELECT start_metadata_sync_to_all_nodes()" >/dev/null 2>&1 && return
    sleep 1
  done
  at coordinator parley "SELECT start_metadata_sync_to_all_nodes()" >/dev/null
}

start() {
  local fresh= template=
  [ -e "$state/postgres/data" ] || fresh=1
  [ -z "${CITUS_TEMPLATE:-}" ] || template=$CITUS_TEMPLATE/coordinator
  mkdir -p "$state"
  home=
  # The coordinator trusts whoever reaches its socket, which lies in a directory of mode 0700: it calls itself as the services' roles.
  hba=$(mktemp -p /var/tmp citus-hba-XXXXXX)
  echo "local all all trust" >"$hba"
  chmod 644 "$hba"
  PARLEY_POSTGRES_TEMPLATE=$template PARLEY_POSTGRES_OPTIONS="${PARLEY_POSTGRES_OPTIONS:-} $node_options -c hba_file=$hba -c timezone=UTC" "$one" start || return
  home=$(readlink -e "$state/postgres")
  for node in worker1 worker2; do
    [ -e "$home/$node/data/postmaster.pid" ] || start_worker $node
  done
  [ -z "$fresh" ] || if [ -n "$template" ]; then move; else join; fi
}

stop() {
  home=$(readlink -e "$state/postgres") || return 0
  for node in worker1 worker2; do
    [ ! -e "$home/$node/data/postmaster.pid" ] || (cd / && as_owner "$bin/pg_ctl" --pgdata="$home/$node/data" --mode=fast --wait stop) >/dev/null || true
  done
  "$one" stop
}

case ${1:-} in
start) start ;;
stop) stop ;;
*) exec "$one" "$@" ;;
esac
