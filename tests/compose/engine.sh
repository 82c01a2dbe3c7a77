#!/usr/bin/env bash
# engine.sh start | stop: a Docker engine with compose and the base image, on a Debian that has none and no image registry.
#
# Run as root. Where an engine answers already, it is used as it is and stop leaves it alone. The engine that start makes
# keeps its images in COMPOSE_CACHE (/var/cache/parley); stop ends it and puts back what it changed of the network.
set -euo pipefail
cache=${COMPOSE_CACHE:-/var/cache/parley}
run=/run/parley-docker
# shellcheck source=../../common/scripts/lib.sh
. "$(dirname "$0")/../../common/scripts/lib.sh"

mirror() { # of this system's own sources
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 'Origin: Debian' | grep -v security | head -n 1
}

# A private list of Debian 13's packages; the system's own lists stay as they are.
from_trixie() { # PACKAGE: its .deb into the current directory
  mkdir -p lists/partial parts
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) trixie main" >sources.list
  local private=(-qq -o "Dir::Etc::SourceList=$PWD/sources.list" -o "Dir::Etc::SourceParts=$PWD/parts" -o "Dir::State::Lists=$PWD/lists"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root -o Acquire::Languages=none)
  apt-get "${private[@]}" update && apt-get "${private[@]}" download "$1"
}

have_compose() {
  docker compose version >/dev/null 2>&1 && return
  local work plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
  work=$(mktemp -d)
  (cd "$work" && from_trixie docker-compose && dpkg-deb -x docker-compose_*.deb .) || die "docker compose could not be fetched"
  install -D "$(find "$work" -name docker-compose -type f -perm -100 | head -n 1)" "$plugins/docker-compose"
  rm -rf "$work"
}

have_base() { # Debian and nothing else, under the name that the Dockerfile asks for
  docker image inspect debian:trixie-slim >/dev/null 2>&1 && return
  [ -e "$cache/trixie.tar" ] || {
    say "making the base image (debootstrap)"
    rm -rf "$cache/trixie"
    debootstrap --variant=minbase trixie "$cache/trixie" "$(mirror)" >"$cache/debootstrap.log" || die "debootstrap failed: $cache/debootstrap.log"
    rm -rf "$cache"/trixie/var/cache/apt/* "$cache"/trixie/var/lib/apt/lists/*
    # what the images of Debian itself have: apt keeps no packages, dpkg no documentation
    echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };' >"$cache/trixie/etc/apt/apt.conf.d/docker-clean"
    for file in /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf; do # how this machine reaches the mirror
      [ ! -f "$file" ] || cp "$file" "$cache/trixie$file"
    done
    tar -C "$cache/trixie" -c . >"$cache/trixie.tar.new" && mv "$cache/trixie.tar.new" "$cache/trixie.tar"
    rm -rf "$cache/trixie"
  }
  docker import - debian:trixie-slim <"$cache/trixie.tar" >/dev/null
}

start() {
  [ "$(id -u)" = 0 ] || die "engine.sh needs root"
  mkdir -p "$cache"
  if ! docker info >/dev/null 2>&1; then
    command -v dockerd >/dev/null || die "no Docker engine here: apt-get install docker.io debootstrap"
    mkdir -p "$run"
    iptables-save >"$run/iptables" 2>/dev/null || true
    cat /proc/sys/net/ipv4/ip_forward >"$run/ip_forward"
    setsid dockerd --data-root "$cache/docker" --pidfile "$run/pid" >"$run/log" 2>&1 </dev/null &
    for _ in $(seq 300); do
      docker info >/dev/null 2>&1 && break
      sleep 0.1
    done
    docker info >/dev/null 2>&1 || die "dockerd does not start:" "$(tail -n 5 "$run/log")"
  fi
  have_compose
  have_base
  say "Docker $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short)"
}

stop() {
  [ -e "$run/pid" ] || return 0
  local pid
  pid=$(<"$run/pid")
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
  iptables-restore <"$run/iptables" 2>/dev/null || true
  cat "$run/ip_forward" >/proc/sys/net/ipv4/ip_forward 2>/dev/null || true
  for link in $(ip -o link show type bridge | sed -n 's/^[0-9]*: \(docker0\|br-[0-9a-f]*\):.*/\1/p'); do ip link delete "$link"; done
  rm -rf "$run"
}

case ${1:-} in
start) start ;;
stop) stop ;;
*) die "engine.sh start | stop" ;;
esac
