#!/bin/sh
# PostgreSQL of the compose stack. It listens on a Unix socket in a volume that only the services mount, and on no network, and
# trusts nobody: services prove themselves with the passwords that svc-auth --init gave their roles. The administrator has
# one that is made here and left in the volume `admin`, which --init alone mounts; `docker compose exec postgres psql parley`
# works by the operating system's user.
set -eu
data=${PARLEY_DATA:-/var/lib/parley-postgres/data}
sockets=${PARLEY_SOCKETS:-/run/parley-postgres}
admin=${PARLEY_ADMIN:-/run/parley-admin}
bin=$(echo /usr/lib/postgresql/*/bin)

if [ ! -e "$data/PG_VERSION" ]; then
  rm -rf "$data.new"
  "$bin/initdb" --pgdata="$data.new" --username=parley_admin --auth=peer --encoding=UTF8 --locale=C.UTF-8 --data-checksums
  # a single-user run makes the database, so that the first start already has it
  echo "CREATE DATABASE parley" | "$bin/postgres" --single -D "$data.new" postgres > /dev/null
  mv "$data.new" "$data" # whole, or not there at all
fi

printf '%s\n' "local all,replication postgres peer" "local all all scram-sha-256" > "$data/pg_hba.conf"
if [ ! -e "$admin/url" ]; then
  password=$(od -An -tx1 -N24 /dev/urandom | tr -d ' \n')
  # one statement a line
  "$bin/postgres" --single -D "$data" postgres > /dev/null <<SQL
ALTER ROLE parley_admin PASSWORD '$password'
DO \$\$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'postgres') THEN CREATE ROLE postgres SUPERUSER LOGIN; END IF; END \$\$
SQL
  (umask 077 && echo "host=$sockets dbname=parley user=parley_admin password=$password" > "$admin/url.new")
  chmod 444 "$admin/url.new" # --init runs as another user; who else mounts the volume is the operator's affair
  mv "$admin/url.new" "$admin/url"
fi
exec "$bin/postgres" -D "$data" -c listen_addresses= -c unix_socket_directories="$sockets" \
  -c unix_socket_permissions=0777 -c max_connections=200 -c shared_buffers="${SHARED_BUFFERS:-128MB}" -c jit=off
