#!/usr/bin/env bash
# upgrade.sh: bring a running compose stack to the images that are there now (docker compose build, or a new PARLEY_VERSION in
# .env), service by service, without a refused request: new replicas first, then the old ones end what they have begun.
#
# Both generations run side by side for a while, each on the same database: migrations only add. The gateway is one container
# behind one published port: replacing it refuses connections for some 3 s, so it is left to --gateway; with the profile tls
# (COMPOSE_PROFILES=tls) there are two, and nothing is refused. PostgreSQL's container is never touched.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
mapfile -t services < <(services)

image_of() { docker inspect --format '{{.Image}}' "$1"; }                                         # of a container
wanted() { docker image inspect --format '{{.Id}}' "$(docker compose config --images "$1" | sed -n 1p)"; } # of a service
wire() { docker inspect --format '{{index .Config.Labels "parley.wire"}}' "$1"; }                # what its processes speak

outdated() { # SERVICE: containers with another image than the wanted one
  local id
  for id in $(docker compose ps -q "$1"); do
    [ "$(image_of "$id")" = "$(wanted "$1")" ] || echo "$id"
  done
}

check() {
  local name id
  [ -n "$(docker compose ps -q auth)" ] || die "no stack is running here: docker compose up -d"
  for name in "${services[@]}" gateway; do
    for id in $(outdated "$name"); do
      [ "$(wire "$id")" = "$(wire "$(wanted "$name")")" ] ||
        die "the old and the new processes do not understand each other (CHANGELOG.md): docker compose down && docker compose up -d"
    done
  done
}

wait_healthy() { # SERVICE COUNT
  local until=$((SECONDS + 120)) id healthy
  while :; do
    healthy=0
    for id in $(docker compose ps -q "$1"); do
      [ "$(docker inspect --format '{{.State.Health.Status}}' "$id")" != healthy ] || healthy=$((healthy + 1))
    done
    [ "$healthy" -lt "$2" ] || return 0
    [ $SECONDS -lt $until ] || die "$1: the new replicas are not healthy after 120 s; the old ones serve on" "docker compose logs $1"
    sleep 0.5
  done
}

replace() { # SERVICE
  local old count
  mapfile -t old < <(outdated "$1")
  [ ${#old[@]} -gt 0 ] || return 0
  docker compose rm -f "$1" >/dev/null 2>&1 # those that have ended: they would be started again as they are
  count=$(docker compose ps -q "$1" | wc -l)
  say "$1: ${#old[@]} of $count are replaced"
  docker compose up -d --no-deps --no-recreate --scale "$1=$((count + ${#old[@]}))" "$1" >/dev/null 2>&1
  wait_healthy "$1" $((count + ${#old[@]}))
  sleep 3 # who asks this service by its name finds the new ones
  docker stop --time 40 "${old[@]}" >/dev/null
  docker rm "${old[@]}" >/dev/null
}

check
docker compose run --rm --no-deps init >/dev/null 2>&1 || die "svc-auth --init of the new version failed: docker compose run --rm --no-deps init"
for name in "${services[@]}"; do replace "$name"; done
if [ -n "$(docker compose ps -q gateway2 2>/dev/null)" ]; then
  for name in gateway2 gateway; do
    [ -z "$(outdated $name)" ] || { docker compose up -d --no-deps "$name" >/dev/null 2>&1 && wait_healthy "$name" 1; }
  done
elif [ -n "$(outdated gateway)" ]; then
  [ "${1:-}" = --gateway ] || { say "the gateway is still the old one: upgrade.sh --gateway replaces it, and refuses connections for some 3 s"; exit 0; }
  docker compose up -d --no-deps gateway >/dev/null 2>&1 && wait_healthy gateway 1
fi
say "all of it is the new version"
