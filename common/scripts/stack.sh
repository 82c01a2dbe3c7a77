#!/usr/bin/env bash
# stack.sh run | up | down | env NAME [REPLICA] | list | rotate-keys | unlink EMAIL [ISSUER] | backup FILE | restore FILE:
# all of Parley on this machine,
# with a PostgreSQL of its own.
#
#   run   in the foreground: starts everything, says when it is ready, restarts what dies; Ctrl-C stops everything
#   up    the same in the background; returns when it is ready. Of a stack that runs, it starts again what has changed
#   down  stops what run or up started, and what a killed one left behind
#   env   the environment of one process, a NAME=VALUE a line; list: the processes (tests start them on their own)
#   backup  of the running stack into FILE; restore  from it into an empty state directory (parley.sh; PARLEY_PASSPHRASE)
#   rotate-keys  of the running stack: a fresh key for tokens, and one for stored secrets
#   unlink  an account from a provider that people sign in with; without ISSUER: which it is linked with
#
# PARLEY_PORT (8000)       the gateway's port on 127.0.0.1; admin ports +10 to +15. Services are at abstract://parley-8001 to 8005
# PARLEY_STATE (./.run)    the database, the secret, mails, logs: all that a stack keeps. Several stacks run side by side.
# PARLEY_REPLICAS          "chat=2 gateway=2": more than one of these; replica R has its ports at +20*(R-1)
# VARIANT (release)        which build: release, asan, tsan
set -euo pipefail
scripts=$(cd "$(dirname "$0")" && pwd)
root=${scripts%/common/scripts}
. "$scripts/lib.sh"

port=${PARLEY_PORT:-8000}
[[ $port =~ ^[0-9]{1,5}$ ]] && ((10#$port >= 1 && 10#$port <= 65300)) ||
  die "PARLEY_PORT must be a port from 1 to 65300, not \"$port\": a stack uses that one and some above it"
port=$((10#$port))
bin=$root/build/${VARIANT:-release}
mkdir -p -m 711 "${PARLEY_STATE:-$root/.run}" 2>/dev/null || die "cannot make the state directory ${PARLEY_STATE:-$root/.run}" \
  "Set PARLEY_STATE to a directory that you may write to."
state=$(readlink -f "${PARLEY_STATE:-$root/.run}")
export PARLEY_STATE=$state PARLEY_SECRET=${PARLEY_SECRET:-$state/secret}

mapfile -t services < <(services)
names=(gateway "${services[@]}") # in the order of their ports

# --- Who listens where ----------------------------------------------------------------------------------------------
declare -A index=() replicas=()
for i in "${!names[@]}"; do
  index[${names[i]}]=$i
  replicas[${names[i]}]=1
done
for entry in ${PARLEY_REPLICAS:-}; do
  [[ -n "${index[${entry%%=*}]:-}" && ${entry#*=} =~ ^[1-9]$ ]] ||
    die "PARLEY_REPLICAS: \"$entry\" is not one of ${names[*]} with a number from 1 to 9: \"chat=2 gateway=2\""
  replicas[${entry%%=*}]=${entry#*=}
done

# Of the process NAME REPLICA: $p, the gateway's port or the name of a service's socket, and $admin. (Variables, not output: a start
# does this often.)
ports_of() {
  p=$((port + index[$1] + 20 * ($2 - 1)))
  admin=$((p + 10))
  [ "$1" = gateway ] || p=parley-$p
}
program_of() { [ "$1" = gateway ] && echo "$bin/gateway" || echo "$bin/svc-$1"; }

# "auth 1", "chat 1", "chat 2" ... "gateway 1"
processes() {
  local name replica
  for name in "${services[@]}" gateway; do
    for ((replica = 1; replica <= replicas[$name]; replica++)); do
      echo "$name $replica"
    done
  done
}

environment() { # NAME REPLICA: what README's table calls by these names
  local name=$1 replica=$2 service list r p admin
  : "${socket:=$("$scripts/postgres.sh" url '')}"
  echo "PARLEY_STATE=$state"
  echo "PARLEY_SECRET=$PARLEY_SECRET"
  echo "PUBLIC_URL=${PUBLIC_URL:-http://localhost:$port}"
  for service in "${services[@]}"; do
    list=
    for ((r = 1; r <= replicas[$service]; r++)); do
      ports_of "$service" "$r"
      list+=,abstract://$p
    done
    echo "${service^^}_ADDRESS=${list#,}"
  done
  ports_of "$name" "$replica"
  echo "${name^^}_ADMIN=127.0.0.1:$admin"
  if [ "$name" = gateway ]; then
    echo "PARLEY_LISTEN=127.0.0.1:$p"
    echo "CORS_ORIGINS=${CORS_ORIGINS-localhost}"
  else
    echo "${name^^}_LISTEN=abstract://$p"
    echo "DATABASE_URL=$socket user=parley_$name application_name=svc-$name"
  fi
  [ "$name" != auth ] || echo "ADMIN_DATABASE_URL=$socket user=parley_admin"
}

# --- Looking at ports and processes ---------------------------------------------------------------------------------
# Who listens on that port, or at a socket of that name: "1234 (node server.js)"; status 1 when nobody does.
listener() {
  local inode pid
  case $1 in
    parley-*) inode=$(awk -v name="@$1" '$8 == name { print $7; exit }' /proc/net/unix) ;;
    *) inode=$(awk -v port=":$(printf %04X "$1")$" '$4 == "0A" && $2 ~ port { print $10; exit }' /proc/net/tcp /proc/net/tcp6 2>/dev/null) ;;
  esac
  [ -n "$inode" ] || return 1
  pid=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" 2>/dev/null | head -n 1 | cut -d/ -f3) || true
  if [ -n "$pid" ]; then
    echo "process $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c1-60 | sed 's/ *$//'))"
  else
    echo "another user's process"
  fi
}

# GET from an admin port; the body, and status 0 for a 200. In bash itself, so that a start is not slowed by programs.
admin_get() { # PORT PATH
  local line status
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
  read -r -t 5 _ status _ <&3 || status=
  while read -r -t 5 line <&3 && [ "$line" != $'\r' ]; do :; done
  while read -r -t 5 line <&3 || [ -n "$line" ]; do echo "$line"; done
  exec 3>&-
  [ "$status" = 200 ]
} 2>/dev/null

# When a process began, which with its number makes it unmistakable; our programs show nothing else of themselves.
born() { # PID
  local stat
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  stat=(${stat##*)})
  echo "${stat[19]}"
}
remember() { # PROCESS PID
  born "$2" >"$state/born/$1" || true
  echo "$2" >"$state/pids/$1"
}

# Processes of this stack that no supervisor looks after any more.
leftovers() {
  local file pid
  for file in "$state"/pids/*; do
    [ -e "$file" ] || continue
    pid=$(<"$file")
    if cmp -s "$state/born/${file##*/}" <(born "$pid"); then
      echo "$pid"
    else
      rm -f "$file"
    fi
  done
}

# TERM, and KILL for those still there after so many seconds.
end_processes() { # SECONDS PID...
  local until=$((SECONDS + $1)) alive pid
  shift
  [ $# -gt 0 ] || return 0
  kill -TERM "$@" 2>/dev/null || true
  while :; do
    alive=()
    for pid; do
      # a zombie has ended; its parent will notice
      ! grep -q '^State:.[^Z]' "/proc/$pid/status" 2>/dev/null || alive+=("$pid")
    done
    [ ${#alive[@]} -gt 0 ] || return 0
    if [ $SECONDS -ge $until ] || [ -n "${hurry:-}" ]; then
      kill -KILL "${alive[@]}" 2>/dev/null || true
    fi
    sleep 0.02 || true
  done
}

# --- Starting and looking after --------------------------------------------------------------------------------------
declare -A pid_of=() started=() log_began=()

start_one() { # NAME REPLICA
  local id=$1-$2 log=$state/log/$1-$2.log lines
  log_began[$id]=$(stat -c %s "$log" 2>/dev/null || echo 0)
  [ "${log_began[$id]}" -lt 50000000 ] || { mv "$log" "$log.old" && log_began[$id]=0; }
  mapfile -t lines < <(environment "$1" "$2")
  setsid env "${lines[@]}" "$(program_of "$1")" >>"$log" 2>&1 </dev/null 9>&- &
  pid_of[$id]=$!
  started[$id]=$SECONDS
  remember "$id" $!
}

# Log lines as sentences: the message, and what the log knows beyond it. What is no log line of ours stays as it is.
sentences() { # [LEVEL]: of these alone
  local text='"(([^"\\]|\\.)*)"'
  { [ -z "${1:-}" ] && cat || grep -E "\"level\":\"($1)\"" || true; } |
    sed -E -e "s/^\{.*\"message\":$text.*\"detail\":$text.*/\1: \3/;t" -e "s/^\{.*\"message\":$text.*/\1/" |
    sed -E -e 's/: $//' -e 's/\\"/"/g' -e 's/^/    /' | cut -c1-400
}

# What a process said since it was started: its errors; for want of such, whatever came last.
last_words() {
  local since=$((${log_began[$1]:-0} + 1)) said
  said=$(tail -c "+$since" "$state/log/$1.log" 2>/dev/null | sentences error | tail -n 12)
  [ -n "$said" ] || said=$(tail -c "+$since" "$state/log/$1.log" 2>/dev/null | tail -n 3 | sentences)
  [ -z "$said" ] || echo "$said"
}

# Whether somebody listens on that port. (Reading /proc/net/tcp takes 50 ms where the kernel has room for many connections.)
answers() { : <>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null

check_ports() {
  local name replica p admin at who sockets=$(</proc/net/unix)
  while read -r name replica; do
    ports_of "$name" "$replica"
    for at in $p $admin; do
      case $at in
        parley-*) [[ $sockets$'\n' == *"@$at"$'\n'* ]] || continue ;;
        *) answers "$at" || continue ;;
      esac
      who=$(listener "$at") || continue
      [[ $at == parley-* ]] && at="socket @$at" || at="port $at"
      die "$at ($name) is taken by $who" "Stop that, or choose other ports: PARLEY_PORT=9000 make run"
    done
  done < <(processes)
}

check_programs() {
  local name
  for name in "${names[@]}"; do
    [ -x "$(program_of "$name")" ] || die "$(program_of "$name") is not built: run \`make\` first"
  done
}

# A process that has ended, with its last words; status 1 when there is none.
any_ended() {
  local id
  for id in "${!pid_of[@]}"; do
    if ! kill -0 "${pid_of[$id]}" 2>/dev/null; then
      say "$id ended while starting; its last words ($state/log/$id.log):"
      last_words "$id"
      return 0
    fi
  done
  return 1
}

# Until every process says that it is ready; one that ends before that stops the start.
wait_ready() {
  local entry name replica why p admin nothing until=$((SECONDS + 60))
  exec {nothing}<> <(:) # reading from it is a pause that starts no program
  for entry; do
    read -r name replica <<<"$entry"
    ports_of "$name" "$replica"
    until why=$(admin_get $admin /readyz); do
      if [ -n "$stopping" ] || any_ended; then
        return 1
      fi
      if [ $SECONDS -ge $until ]; then
        say "$name-$replica is not ready after 60 s: ${why:-it does not answer}"
        last_words "$name-$replica"
        return 1
      fi
      read -r -t 0.02 -u "$nothing" || true
    done
  done
  exec {nothing}>&-
}

stop_all() {
  local id gateways=() others=()
  hurry=
  trap 'hurry=1' INT TERM HUP # a second Ctrl-C is impatient
  for id in "${!pid_of[@]}"; do
    [[ $id == gateway-* ]] && gateways+=("${pid_of[$id]}") || others+=("${pid_of[$id]}")
  done
  end_processes 30 "${gateways[@]}"
  end_processes 30 "${others[@]}"
  "$scripts/postgres.sh" stop 9>&- || true
  rm -f "$state"/pids/* "$state/ready"
}

# Codes and links that would have been mailed, for who tries it out in this terminal. tail ends with this process.
tell_mails() {
  local line file
  tail --pid=$$ -n 0 -F "$state/log/auth-1.log" 2>/dev/null | while IFS= read -r line; do
    [[ $line == *'"a mail was written to a file'* && $line =~ \"path\":\"([^\"]*)\" ]] || continue
    file=${BASH_REMATCH[1]}
    say "mail to $(sed -n 's/^To: \(.*\)\r$/\1/p;T;q' "$file" 2>/dev/null): $(sed -n '/^Content-Type: text\/plain/,/^--/{s/\r$//;s/^ *\([0-9]\{6\}\|https\{0,1\}:[^ ]*\)$/\1/p}' "$file" 2>/dev/null | head -n 1)  ($file)"
  done
}

# Until told to stop: start again what ended.
look_after() {
  local id name ended pause
  while [ -z "$stopping" ]; do
    ended=
    { wait -n -p ended || true; } 2>/dev/null # bash would add its own words on a signal
    [ -z "$stopping" ] || return 0
    for id in "${!pid_of[@]}"; do
      [ "${pid_of[$id]}" = "$ended" ] || continue
      pause=1
      [ $((SECONDS - started[$id])) -ge 10 ] || pause=5
      if [ -e "$state/pids/again-$id" ]; then # `up` wants its new program
        rm "$state/pids/again-$id"
      else
        say "$id ended; starting it again in $pause s. Its last words ($state/log/$id.log):"
        last_words "$id"
        sleep $pause || true
      fi
      name=${id%-*}
      [ -n "$stopping" ] || start_one "$name" "${id##*-}"
    done
  done
}

run() { # [detach]
  local entry all left
  exec 9>>"$state/lock"
  flock -n 9 || die "a stack with this state directory is running already ($state)" \
    "Stop it with \`make down\`, or start another one: PARLEY_PORT=9000 PARLEY_STATE=/tmp/other make run"
  rm -f "$state/ready"
  check_programs
  settings_now >"$state/settings"
  mkdir -p -m 700 "$state/log" "$state/pids" "$state/born" "$state/mail"
  mapfile -t left < <(leftovers)
  end_processes 10 "${left[@]}"
  check_ports

  stopping=
  trap 'stopping=1' INT TERM HUP
  remember supervisor $$
  mapfile -t all < <(processes)
  if "$scripts/postgres.sh" start 9>&- && [ -z "$stopping" ] && initialise; then
    for entry in "${all[@]}"; do
      start_one $entry
    done
    if wait_ready "${all[@]}"; then
      touch "$state/ready"
      banner "${1:-}"
      if [ -n "${1:-}" ]; then
        exec >>"$state/log/stack.log" 2>&1 # who waits for `up` sees the end here
      elif [ -z "${SMTP_URL:-}" ]; then
        tell_mails 9>&- &
      fi
      look_after
      stop_all
      say "stopped"
      return 0
    fi
  fi
  stop_all
  [ -n "$stopping" ] || die "not started"
}

initialise() {
  local lines log=$state/log/init.log
  socket=$("$scripts/postgres.sh" url '')
  mapfile -t lines < <(environment auth 1)
  env "${lines[@]}" "$(program_of auth)" --init >"$log" 2>&1 </dev/null 9>&- || {
    say "svc-auth --init failed ($log):"
    sentences error <"$log"
    return 1
  }
  sentences warn <"$log"
}

banner() {
  cat <<END
Parley is ready: http://localhost:$port   (/docs shows the API; state, mails and logs are in $state)
Make a user, and go on with the README's first conversation:
  curl -s localhost:$port/api/auth/register -H 'Content-Type: application/json' \\
    -d '{"email": "ada@example.com", "password": "analytical engine", "display_name": "Ada"}'
END
  [ -n "$1" ] && echo "\`make down\` stops it." || echo "Ctrl-C stops it."
}

# What the operator has set, as the processes will read it.
settings_now() { env | grep -E '^(PARLEY|GATEWAY|AUTH|DOCUMENTS|CHATBOTS|CHAT|INTEGRATIONS|EMBEDDING|EGRESS|SMTP|CORS|OIDC|OAUTH)_|^(PUBLIC_URL|MAIL_FROM|LOG_LEVEL|METRICS_TOKEN)' | sort; }

# Processes whose program is another one than the file that is there now.
outdated() {
  local name replica pid
  while read -r name replica; do
    pid=$(cat "$state/pids/$name-$replica" 2>/dev/null) || continue
    [ "/proc/$pid/exe" -ef "$(program_of "$name")" ] || echo "$name $replica $pid"
  done < <(processes)
}

# Of the stack that runs: everything when the settings are others, else the processes whose program is. The gateway comes
# last, so that it finds the others there.
refresh() {
  local old name replica pid until=$((SECONDS + 60))
  if ! settings_now | cmp -s - "$state/settings"; then
    say "the settings have changed: starting everything again"
    down
    exec 9>&- # the lock
    up
    return
  fi
  mapfile -t old < <(outdated)
  [ ${#old[@]} -gt 0 ] || {
    say "it is running already, and nothing has changed: http://localhost:$port"
    return 0
  }
  [[ " ${old[*]}" != *" auth "* ]] || initialise
  for entry in "${old[@]}"; do
    read -r name replica pid <<<"$entry"
    say "$name-$replica has a new program: starting it again"
    touch "$state/pids/again-$name-$replica"
    kill -TERM "$pid" || true
  done
  while [ -n "$(outdated)" ] || ! admin_get $((port + 10)) /readyz >/dev/null; do
    [ $SECONDS -lt $until ] || die "not all is ready after 60 s: see $state/log"
    sleep 0.1
  done
  say "ready: http://localhost:$port"
}

up() {
  if [ -e "$state/ready" ] && ! flock -n "$state/lock" true; then
    refresh
    return
  fi
  # Ends when the detached one turns to its log file, or gives up.
  cat < <(setsid "$0" run detach </dev/null 2>&1)
  [ -e "$state/ready" ]
}

down() {
  local left pid ran=
  exec 9>>"$state/lock"
  if ! flock -n 9; then
    ran=1
    pid=$(cat "$state/pids/supervisor" 2>/dev/null) || true
    [ -n "$pid" ] && kill -TERM "$pid" 2>/dev/null || true
    flock -w 90 9 || die "the stack in $state does not stop (process ${pid:-unknown})"
  fi
  mapfile -t left < <(leftovers)
  end_processes 10 "${left[@]}"
  "$scripts/postgres.sh" stop 9>&-
  rm -f "$state/ready"
  if [ -n "$ran" ] || [ ${#left[@]} -gt 0 ]; then
    say "stopped"
  else
    say "nothing to stop: no stack is running in $state"
  fi
}

auth() { # --rotate-keys | --unlink ...
  local lines
  mapfile -t lines < <(environment auth 1)
  exec env "${lines[@]}" "$(program_of auth)" "$@"
}

# parley.sh with what it needs: the administrator's connection, and the programs of this PostgreSQL.
archive() { # backup | restore FILE
  local lines
  mapfile -t lines < <(environment auth 1)
  env PATH="$bin:$(postgres_bin):$PATH" "${lines[@]}" "$scripts/parley.sh" "$@"
}

backup() { # FILE
  [ -e "$state/ready" ] && ! flock -n "$state/lock" true || die "no stack is running in $state: its database is needed for a backup"
  archive backup "$1"
}

restore() { # FILE
  local done=0
  exec 9>>"$state/lock"
  flock -n 9 || die "a stack is running in $state: a backup is restored into an empty place" "PARLEY_STATE=/other/place"
  mkdir -p -m 700 "$state/log"
  check_programs
  "$scripts/postgres.sh" start 9>&-
  archive restore "$1" 9>&- || done=1
  "$scripts/postgres.sh" stop 9>&-
  return $done
}

case ${1:-} in
backup | restore) $1 "${2:?FILE}" ;;
run) run "${2:-}" ;;
up) up ;;
down) down ;;
env) environment "${2:?NAME}" "${3:-1}" ;;
list) processes ;;
rotate-keys) auth --rotate-keys ;;
unlink) auth --unlink "${2:?EMAIL}" ${3:+"$3"} ;;
*) die "stack.sh run | up | down | env NAME [REPLICA] | list | rotate-keys | unlink EMAIL [ISSUER] | backup FILE | restore FILE" ;;
esac
