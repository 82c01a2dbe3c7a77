# lib.sh: what the scripts share. Sourced, never run.

say() { printf 'parley: %s\n' "$*"; }
die() {
  printf 'parley: %s\n' "$@" >&2
  exit 1
}

# The programs of the newest PostgreSQL that has pgvector; of the newest at all when none has; else status 1.
postgres_bin() {
  local bin version found=
  for bin in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t/ -k5 -n); do
    [ -x "$bin/postgres" ] || continue
    version=${bin%/bin}
    version=${version##*/}
    if [ -e "/usr/share/postgresql/$version/extension/vector.control" ]; then
      found=$bin
    elif [ -z "$found" ] || [ ! -e "$(postgres_vector "$found")" ]; then
      found=$bin
    fi
  done
  [ -n "$found" ] && echo "$found"
}

# Where that PostgreSQL looks for pgvector.
postgres_vector() {
  local version=${1%/bin}
  echo "/usr/share/postgresql/${version##*/}/extension/vector.control"
}

# The services, in the order of their ports, as their contracts say them.
services() {
  awk -v RS=';' '/(^|\n)package / { name = $NF }
    /\(parley\.service\)/ && match($0, /port:[ \n]*[0-9]+/) { port = substr($0, RSTART + 5, RLENGTH - 5); print port + 0, name }' \
    "$(dirname "${BASH_SOURCE[0]}")"/../../proto/*.proto | sort -n | cut -d' ' -f2
}
