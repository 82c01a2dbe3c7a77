#!/bin/sh
# PostgreSQL of the compose stack. It listens on a Unix socket in a volume that only our containers mount, and on no
# network: who has the volume is trusted.
set -eu
data=/var/lib/parley-postgres/data
bin=/usr/lib/postgresql/17/bin

if [ ! -e "$data/PG_VERSION" ]; then
  rm -rf "$data.new"
  "$bin/initdb" --pgdata="$data.new" --username=parley_admin --auth=trust --encoding=UTF8 --locale=C.UTF-8 --data-checksums
  echo "local all all trust" > "$data.new/pg_hba.conf"
  # a single-user run makes the database, so that the first start already has it
  echo "CREATE DATABASE parley" | "$bin/postgres" --single -D "$data.new" postgres > /dev/null
  mv "$data.new" "$data" # whole, or not there at all
fi
exec "$bin/postgres" -D "$data" -c listen_addresses= -c unix_socket_directories=/run/parley-postgres \
  -c unix_socket_permissions=0777 -c max_connections=200 -c shared_buffers="${SHARED_BUFFERS:-128MB}" -c jit=off
