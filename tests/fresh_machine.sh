#!/usr/bin/env bash
# fresh_machine.sh [CASE...]: does `make run` alone, and `make test` alone, do everything on a machine that has nothing?
#
# Each case gets a Debian 12 of its own with git, make and sudo (debootstrap, in a chroot with its own process ids and
# mounts, so that nothing survives it) and a clean clone of HEAD. Run as root. The network is this machine's: the stack
# listens on FRESH_PORT (18340) and above.
#
#   root  as root                      user  as an ordinary user with sudo
#   deep  as root, the checkout below a directory of mode 0700
#   test  `make test` alone, as an ordinary user
#
# The base system is kept in FRESH_CACHE (/var/cache/parley); mirror, proxy and certificates are the system's own.
set -euo pipefail
port=${FRESH_PORT:-18340}

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# --- Inside: a clean clone in the current directory ----------------------------------------------------------------------
seconds_since() { echo $(($(date +%s) - $1)); }

# Every process but this script and init, whoever runs it.
others() {
  local stat pid
  for stat in /proc/[0-9]*/stat; do
    pid=${stat//[^0-9]/}
    [ "$pid" = 1 ] || [ "$pid" = $$ ] || [ "$pid" = "$BASHPID" ] || ! [ -s "/proc/$pid/cmdline" ] ||
      echo "$pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
  done
}

listeners() { # on the stack's ports
  local hex p
  for ((p = port; p < port + 20; p++)); do
    hex=$(printf ':%04X' "$p")
    ! grep -qE "^ *[0-9]+: [0-9A-F]+$hex [0-9A-F:]+ 0A" /proc/net/tcp || echo "$p"
  done
}

# `make run` as at a terminal: the leader of a foreground group, with SIGINT as it comes from login.
start_run() {
  perl -MPOSIX -e 'setsid(); $SIG{INT} = "DEFAULT"; exec @ARGV' make run >"$1" 2>&1 </dev/null &
  leader=$!
  local begun
  begun=$(date +%s)
  until grep -q "Parley is ready" "$1"; do
    kill -0 $leader 2>/dev/null || { cat "$1" >&2; fail "make run ended"; }
    [ "$(seconds_since "$begun")" -lt 1200 ] || { cat "$1" >&2; fail "not ready after 20 minutes"; }
    sleep 0.2
  done
  seconds_since "$begun"
}

interrupt() {
  local left
  kill -INT -- -$leader
  wait $leader || true
  left=$(others)
  [ -z "$left" ] || fail "processes are left after Ctrl-C:
$left"
  left=$(listeners)
  [ -z "$left" ] || fail "ports are still open after Ctrl-C: $left"
}

inside_run() {
  local seconds
  start_run /tmp/run1.log >/tmp/seconds
  echo "  make run: ready after $(cat /tmp/seconds) s, installing and building included"
  grep '^parley: ' /tmp/run1.log | cut -c1-160 | sed 's/^/    /' || true
  tests/readme.sh || fail "the README's first conversation"
  interrupt
  echo "  Ctrl-C: no process and no listener left"
  start_run /tmp/run2.log >/tmp/seconds
  seconds=$(cat /tmp/seconds)
  echo "  second make run: ready after $seconds s"
  [ "$seconds" -le 10 ] || fail "the second start took $seconds s"
  interrupt
}

inside_test() {
  local begun
  begun=$(date +%s)
  make test 2>&1 | tee /tmp/test.log | grep -E '^(ok|FAILED|skipped|failed|[0-9]+ passed|    )' || true
  grep -qE '^[1-9][0-9]* passed, 0 failed$' /tmp/test.log || { tail -n 40 /tmp/test.log; fail "make test"; }
  echo "  make test: $(seconds_since "$begun") s, installing and building included"
  begun=$(date +%s)
  make test-arena >/tmp/test2.log 2>&1 || fail "the second run"
  [ "$(seconds_since "$begun")" -le 10 ] || fail "the second run took $(seconds_since "$begun") s to its first test"
}

if [ "${1:-}" = inside ]; then
  export PARLEY_PORT=$port
  "inside_$2"
  exit
fi

# --- Outside -------------------------------------------------------------------------------------------------------------
[ "$(id -u)" = 0 ] || fail "run this as root: it uses debootstrap and chroot"
top=$(cd "$(dirname "$0")/.." && pwd)
"$top/common/scripts/deps.sh" fresh
cache=${FRESH_CACHE:-/var/cache/parley}
base=$cache/debian-12.tar
work=$(mktemp -d /var/tmp/parley-fresh-XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT

mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 'Component: main' | head -n 1
}

make_base() {
  local from
  from=$(mirror)
  echo "making a Debian 12 from ${from:=http://deb.debian.org/debian} (kept in $base)"
  mkdir -p "$cache"
  debootstrap --variant=minbase --include=git,make,sudo,ca-certificates bookworm "$work/base" "$from" >"$cache/debootstrap.log" 2>&1 ||
    fail "debootstrap; see $cache/debootstrap.log"
  rm -rf "$work"/base/var/cache/apt/archives/*.deb
  tar -C "$work/base" -cf "$base.new" . && mv "$base.new" "$base"
  rm -rf "$work/base"
}

# What this machine needs to reach its mirrors goes along: sources, proxies, certificates.
furnish() { # ROOT
  cp /etc/resolv.conf "$1/etc/resolv.conf"
  echo "127.0.0.1 localhost $(hostname)" >"$1/etc/hosts"
  rm -f "$1"/etc/apt/sources.list
  cp -r /etc/apt/sources.list /etc/apt/sources.list.d "$1/etc/apt/" 2>/dev/null || true
  find "$1/etc/apt/sources.list.d" -type f ! -name 'debian*' -delete
  apt-config dump | grep -iE '^Acquire::https?::(Proxy|CaInfo)' >"$1/etc/apt/apt.conf.d/99outside" || true
  cp -r /usr/local/share/ca-certificates/. "$1/usr/local/share/ca-certificates/" 2>/dev/null || true
  chroot "$1" update-ca-certificates >/dev/null 2>&1
  chroot "$1" useradd -m -s /bin/bash ada
  echo "ada ALL=(ALL) NOPASSWD: ALL" >"$1/etc/sudoers.d/ada"
}

# run_case NAME USER DIRECTORY WHAT
run_case() {
  local name=$1 user=$2 directory=$3 what=$4 root=$work/$1 home
  home=$([ "$user" = root ] && echo /root || echo "/home/$user")
  echo "$name: $what as $user in $directory"
  mkdir "$root"
  tar -C "$root" -xf "$base"
  furnish "$root"
  mkdir -p "$root${directory%/*}"
  [ "$name" != deep ] || chmod 700 "$root${directory%/*}"
  git clone -q --no-hardlinks "$top" "$root$directory"
  chroot "$root" chown -R "$user:$user" "${directory%/*}"
  cp "$0" "$root/fresh_machine.sh"
  unshare --mount --pid --fork --kill-child bash -c '
    set -e
    mount --make-rprivate /
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    exec chroot "$1" setpriv --reuid "$2" --regid "$2" --init-groups env -i HOME="$3" USER="$2" TERM=dumb LANG=C.UTF-8 \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin FRESH_PORT="$6" \
      ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
      NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
      bash -c "cd $4 && exec bash /fresh_machine.sh inside $5"
  ' - "$root" "$user" "$home" "$directory" "$what" "$port" || fail "$name"
  rm -rf --one-file-system "$root"
  echo "$name: passed"
}

[ -e "$base" ] || make_base
for name in ${*:-root user deep test}; do
  case $name in
  root) run_case root root /srv/src/parley run ;;
  user) run_case user ada /home/ada/parley run ;;
  deep) run_case deep root /root/private/parley run ;;
  test) run_case test ada /home/ada/parley test ;;
  *) fail "no such case: $name (root, user, deep, test)" ;;
  esac
done
