#!/usr/bin/env bash
# run.sh: Parley as its operators run it, in containers, from nothing: base image, build (cold, and again after an edit of the
# README), the jail, up, first conversation, scaling, kill -9 of one of each under load, an upgrade with a new migration under load,
# back-up, destroy, restore, compare, down. Run as root; prints what it measured. It takes some ten minutes.
#
# COMPOSE_PORT (18350) is the published port; the engine: engine.sh. KEEP=1 leaves the stack there at the end, WARM=1 keeps what
# was built before; SLACK=4 allows four times the seconds, on a machine that is busy with other things.
set -Eeuo pipefail
cd "$(dirname "$0")/../.."
trap 'echo "run.sh: line $LINENO: $BASH_COMMAND" >&2' ERR
. common/scripts/lib.sh
export PARLEY_PORT=${COMPOSE_PORT:-18350} COMPOSE_PROJECT_NAME=parley-test PARLEY_VERSION=test PARLEY_BIND=127.0.0.1
export PARLEY_PASSPHRASE="a passphrase of some length"
work=$(mktemp -d)
slack=${SLACK:-1}
url=http://localhost:$PARLEY_PORT

fail() {
  echo "FAILED: $*" >&2
  docker compose ps -a >&2
  docker compose logs --tail 20 >"$work/logs" 2>&1 || true
  tail -n 60 "$work/logs" >&2
  exit 1
}
seconds() { # COMMAND...: how long it took, into $took
  local begun=$EPOCHREALTIME
  "$@" >"$work/out" 2>&1 || { tail -n 30 "$work/out"; fail "$*"; }
  took=$(awk -v a="$begun" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
}
most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }' || fail "$3: $1, at most $2"; } # VALUE LIMIT WHAT
finish() {
  local status=$?
  [ -n "${KEEP:-}" ] || docker compose --profile tls --profile metrics down -v --remove-orphans >/dev/null 2>&1 || true
  [ -z "${source:-}" ] || rm -rf "$source"
  rm -rf "$work"
  [ -n "${KEEP:-}" ] || tests/compose/engine.sh stop
  exit $status
}
trap finish EXIT

load() { # SECONDS [READERS [WRITERS]]: in the background; its result by loaded
  node tests/compose/load.mjs "$url" "$1" "${2:-6}" "${3:-2}" >"$work/load" 2>"$work/load.err" &
  loading=$!
  sleep 2
}
loaded() { # WHAT: ends the load; no request failed, nothing is lost
  kill -TERM $loading 2>/dev/null || true
  wait $loading || { cat "$work/load.err"; fail "the load itself ($1)"; }
  echo "  $1: $(jq -r '"\(.requests) requests, \(.failed) failed, \(.lost) lost"' "$work/load")"
  [ "$(jq '.lost' "$work/load")" = 0 ] || fail "$1: acknowledged writes are lost"
  [ "$(jq '.failed' "$work/load")" = 0 ] || { jq .byStatus "$work/load"; [ -n "${2:-}" ] || fail "$1: requests failed"; }
}
ready() { until curl -sf "$url/ready" >/dev/null; do sleep 0.2; done; }

tests/compose/engine.sh start
# What an earlier run left (one that was killed, or kept) is no part of this one; an engine starts such containers again.
docker compose --profile tls --profile metrics down -v --remove-orphans >/dev/null 2>&1

echo "1. build"
[ -n "${WARM:-}" ] || docker builder prune -af >/dev/null
seconds docker compose build
echo "  cold: $took s"
[ -n "${WARM:-}" ] || most "$took" $((300 * slack)) "a cold build"
source=$(mktemp -d) # a copy, to be edited
git ls-files -z | tar --null -T - -c | tar -C "$source" -x
echo "edited" >>"$source/README.md"
seconds docker compose --project-directory "$source" -f "$source/compose.yaml" build
echo "  after an edit of README.md: $took s"
most "$took" $((10 * slack)) "a build after an edit of README.md"
docker image ls --format '  {{.Repository}}:{{.Tag}} {{.Size}}' | grep -E 'parley.*:test|trixie'
over=$(($(docker image inspect --format '{{.Size}}' parley:test) - $(docker image inspect --format '{{.Size}}' debian:trixie-slim)))
echo "  parley over Debian: $((over / 1000000)) MB"
most $over 120000000 "parley over Debian's base, bytes"

echo "2. the jail of files' readers"
make -s build/release/tests/test_jail >/dev/null || fail "the probe"
cmocka=$(ldd build/release/tests/test_jail | sed -n 's/.* => \(.*libcmocka[^ ]*\) .*/\1/p')
probe() { # AS OPTIONS...: what is hostile stays out of the image (the probe executes a copy of itself in /tmp)
  docker run --rm --network none --read-only --tmpfs /tmp:exec -v "$PWD/build/release/tests/test_jail:/test_jail:ro" \
    -v "$(readlink -f "$cmocka"):$cmocka:ro" "${@:2}" parley:test /test_jail >"$work/out" 2>&1 || { cat "$work/out"; fail "the jail, $1"; }
  echo "  $1: $(sed -n '/allow-list/{p;q}' "$work/out"); nothing gets out"
}
probe "as compose has it" --cap-drop ALL --security-opt no-new-privileges:true
probe "as root" --user 0

echo "3. up"
seconds docker compose up -d --wait
echo "  from nothing: $took s"
most "$took" $((20 * slack)) "up -d --wait"
tests/readme.sh || fail "the README's first conversation"
echo "  the README's first conversation: as printed"
docker stats --no-stream --format '  {{.Name}} {{.MemUsage}}' | sort

echo "4. scale, and kill -9 of one of each, under load"
load 300
docker compose up -d --no-recreate --wait --scale auth=2 --scale documents=2 --scale chatbots=2 --scale chat=2 --scale integrations=2 >/dev/null 2>&1 || fail "scaling"
sleep 5
loaded "scaled to two of each"
for name in auth documents chatbots chat integrations; do
  load 60 6 0
  victim=$(docker compose ps -q $name | sed -n 1p)
  kill -KILL "$(docker inspect --format '{{.State.Pid}}' "$victim")" # (docker kill counts as the operator's own stop)
  for _ in $(seq 60); do
    [ "$(docker inspect --format '{{.State.Health.Status}}' "$victim")" = healthy ] && [ "$(docker inspect --format '{{.RestartCount}}' "$victim")" = 1 ] && break
    sleep 0.5
  done
  [ "$(docker inspect --format '{{.RestartCount}}' "$victim")" = 1 ] || fail "$name was not started again"
  loaded "kill -9 of one of two $name, reading"
done

echo "5. an upgrade with a new migration, under load"
for name in auth documents chatbots chat integrations; do
  last=$(ls "$source/svc-$name/migrations" | tail -n 1)
  echo "CREATE TABLE upgrade_probe (id int);" >"$source/svc-$name/migrations/$((10#${last%%_*} + 1))_upgrade_probe.sql"
done
sed -i 's/PARLEY_VERSION "[^"]*"/PARLEY_VERSION "9.9.9"/' "$source/common/base/version.h"
seconds docker compose --project-directory "$source" -f "$source/compose.yaml" build
load 300
seconds common/scripts/upgrade.sh
echo "  upgrade.sh: $took s"
loaded "an upgrade of two of each of the five services"
[[ $(docker compose exec -T chat svc-chat --version) == *9.9.9* ]] || fail "chat is not the new version"
common/scripts/upgrade.sh --gateway >/dev/null
ready
[[ $(curl -s "$url/") == *9.9.9* ]] || fail "the gateway is not the new version"

echo "6. back-up, destroy, restore, compare"
dump() { docker compose exec -T postgres pg_dump -h /run/parley-postgres -U postgres --data-only --inserts parley | grep -vE '^(--|\\(un)?restrict)' | sort; }
docker compose stop gateway auth documents chatbots chat integrations >/dev/null 2>&1
seconds sh -c 'docker compose run --rm -T -e PARLEY_PASSPHRASE init parley backup >'"$work/backup"
echo "  backup: $took s, $(stat -c %s "$work/backup") bytes"
dump >"$work/before"
docker compose down -v >/dev/null 2>&1
docker compose up -d --wait postgres >/dev/null 2>&1
seconds sh -c 'docker compose run --rm -T -e PARLEY_PASSPHRASE init parley restore <'"$work/backup"
echo "  restore: $took s"
dump >"$work/after"
cmp "$work/before" "$work/after" || fail "what was restored is not what was backed up"
echo "  $(grep -c ^INSERT "$work/after") rows, all the same"
! docker compose run --rm -T -e PARLEY_PASSPHRASE init parley restore <"$work/backup" >"$work/out" 2>&1 || fail "restored on top of something"
grep -q "not empty" "$work/out" || { cat "$work/out"; fail "no sentence about a full place"; }
docker compose up -d --wait >/dev/null 2>&1 || fail "up after the restore"
curl -sf "$url/api/auth/login" -H 'Content-Type: application/json' -d '{"email": "ada@example.com", "password": "analytical engine"}' >/dev/null || fail "Ada cannot sign in after the restore"

echo "7. profiles"
export TLS_PORT=$((PARLEY_PORT + 1)) HTTP_PORT=$((PARLEY_PORT + 2)) PROMETHEUS_PORT=$((PARLEY_PORT + 3))
COMPOSE_PROFILES=tls,metrics docker compose up -d --wait >/dev/null 2>&1 || fail "the profiles tls and metrics"
for _ in $(seq 50); do
  curl -sk "https://localhost:$TLS_PORT/health" | grep -q . && break
  sleep 0.2
done
curl -sk "https://localhost:$TLS_PORT/health" | grep -q . || fail "nothing over TLS"
for _ in $(seq 60); do
  up=$(curl -s "http://localhost:$PROMETHEUS_PORT/api/v1/query?query=sum(up)" | jq -r '.data.result[0].value[1] // "0"')
  [ "$up" -ge 7 ] && break
  sleep 1
done
[ "$up" -ge 7 ] || fail "Prometheus sees $up processes, not 7"
curl -s "http://localhost:$PROMETHEUS_PORT/api/v1/rules" | jq -e '[.data.groups[].rules[] | select(.health == "err")] == []' >/dev/null || fail "an alert's expression is wrong"
echo "  https answers; Prometheus sees $up processes and $(curl -s "http://localhost:$PROMETHEUS_PORT/api/v1/rules" | jq '[.data.groups[].rules[]] | length') alerts"

seconds docker compose --profile tls --profile metrics down
echo "8. down: $took s"
echo "all of it works"
