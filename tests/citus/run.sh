#!/usr/bin/env bash
# run.sh [NAME...]: end-to-end tests on a database that Citus spreads over a coordinator and two workers: the README's conversation and
# the files named (default: what touches owners' tables most); and one worker is killed under load.
#
# Needs Citus 13 or later in the PostgreSQL that `make run` takes (its own sources: ./configure --without-libcurl && make install),
# and a build (`make`). Nothing of Citus is in this repository. Each test has a cluster of its own, copied from one that is sharded once.
set -Eeuo pipefail
cd "$(dirname "$0")/../.."
trap 'echo "run.sh: line $LINENO: $BASH_COMMAND" >&2' ERR
. common/scripts/lib.sh
bin=$(postgres_bin)
vector=$(postgres_vector "$bin")
[ -e "${vector%vector.control}citus.control" ] || die "Citus is not installed in ${bin%/bin}" \
  "Build it from its sources against that PostgreSQL: ./configure PG_CONFIG=$bin/pg_config --without-libcurl && make install"
[ -x build/release/gateway ] || die "nothing is built: run \`make\` first"
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(readme auth isolation auth_gateways chatbots chat chats streams documents documents_faults replicas
  widget conversations answers quotas integrations webhooks handover slack mcp tools mcp_server v1 retrieval waiting)

work=$(mktemp -d /var/tmp/citus-XXXXXX)
chmod 711 "$work"
tree=$work/tree
finish() {
  [ ! -e "$work/state/lock" ] || PARLEY_STATE=$work/state "$tree/common/scripts/stack.sh" down >/dev/null 2>&1 || true
  [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap finish EXIT

# A copy of the tree whose stacks have a cluster.
mkdir -m 755 "$tree"
git ls-files -z | xargs -0 cp --parents -t "$tree"
mkdir -p "$tree/build/release" "$tree/build/gen"
cp build/release/{gateway,svc-*,parley-extract} "$tree/build/release/"
cp -r build/gen/. "$tree/build/gen/"
cp -al tests/node_modules "$tree/tests/"
mv "$tree/common/scripts/postgres.sh" "$tree/common/scripts/one.sh"
cp tests/citus/postgres.sh "$tree/common/scripts/postgres.sh"

cd "$tree"
export PARLEY_PORT=${PARLEY_PORT:-18500} PARLEY_STATE=$work/state
scripts=$tree/common/scripts
shard() { env $("$scripts/stack.sh" env auth 1 | grep -E '^(PARLEY|ADMIN)' | grep -v ' ') ADMIN_DATABASE_URL="$(PARLEY_STATE=$work/state "$scripts/postgres.sh" url parley_admin)" build/release/svc-auth --shard; }

say "a cluster: a coordinator and two workers"
"$scripts/stack.sh" up
say "before and after svc-auth --shard, and again"
shard
shard
sql() { psql -qAtX "$("$scripts/postgres.sh" url parley_admin)" "$@"; }
sql -c "SELECT citus_table_type, count(*) FROM citus_tables GROUP BY 1" \
  -c "SELECT count(*) || ' local' FROM pg_tables WHERE schemaname IN ('auth', 'documents', 'chatbots', 'chat', 'integrations')
      AND to_regclass(format('%I.%I', schemaname, tablename)) NOT IN (SELECT logicalrelid FROM pg_dist_partition)"
sql -c "TRUNCATE auth.keyring, auth.job" # each stack has a secret of its own
"$scripts/stack.sh" down
mkdir "$work/template"
cp -r "$(readlink -e "$PARLEY_STATE/postgres")"/data "$work/template/coordinator"
for node in worker1 worker2; do
  cp -r "$(readlink -e "$PARLEY_STATE/postgres")/$node/data" "$work/template/$node"
done
[ "$(id -u)" != 0 ] || chown -R postgres:postgres "$work/template"
export CITUS_TEMPLATE=$work/template

unset PARLEY_STATE
PATH=$tree/tests/node_modules/.bin:$PATH node --test --test-reporter=spec tests/citus/worker.test.mjs
ONLY="${names[*]}" TEST_AT_ONCE=${TEST_AT_ONCE:-1} "$scripts/test.sh" e2e
