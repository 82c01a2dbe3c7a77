#!/usr/bin/env bash
# parley backup [FILE] | restore [FILE]: all of an installation as one file, and back. FILE may be - (the default).
#
#   backup   the database with the originals of documents (but those kept in S3), as of one moment, and the secret, sealed under a
#            passphrase
#   restore  into an empty database and a place without a secret; one that holds something is refused
#
#   make run:        PARLEY_PASSPHRASE=… common/scripts/stack.sh backup parley.backup     (the stack runs)
#                    PARLEY_PASSPHRASE=… common/scripts/stack.sh restore parley.backup    (it does not)
#   docker compose:  docker compose run --rm -T -e PARLEY_PASSPHRASE init parley backup > parley.backup
#                    docker compose run --rm -T -e PARLEY_PASSPHRASE init parley restore < parley.backup
#
# PARLEY_PASSPHRASE (or _FILE): 12 characters or more; without it the backup is worthless, so keep it elsewhere.
# PARLEY_SECRET, ADMIN_DATABASE_URL (or _FILE): as for svc-auth --init. PostgreSQL's own programs and svc-auth are found in PATH.
#
# The file: lines "name value" (parley-backup, version, made, secret), an empty line, and what pg_dump --format=custom wrote.
set -euo pipefail
say() { printf 'parley: %s\n' "$*" >&2; }
die() {
  printf 'parley: %s\n' "$@" >&2
  exit 1
}

[[ ${1:-} =~ ^(backup|restore)$ ]] || die "parley backup [FILE] | restore [FILE]"
schemas=$(svc-auth --schemas)
mapfile -t schemas <<<"$schemas"
file=${2:--}
: "${PARLEY_SECRET:?}"
admin=${ADMIN_DATABASE_URL:-}
[ -n "$admin" ] || admin=$(<"${ADMIN_DATABASE_URL_FILE:?ADMIN_DATABASE_URL or ADMIN_DATABASE_URL_FILE says where the database is}")
[ -n "${PARLEY_PASSPHRASE:-}${PARLEY_PASSPHRASE_FILE:-}" ] ||
  die "PARLEY_PASSPHRASE is not set: the secret is sealed under it" "12 characters or more; keep it where the backup is not."

# What our programs say of errors, as a sentence.
ours() { svc-auth "$@" 2> >(sed -E 's/^\{.*"message":"(([^"\\]|\\.)*)".*/parley: \1/' >&2); }

backup() {
  local sealed list=()
  sealed=$(ours --seal-secret)
  for schema in "${schemas[@]}"; do list+=("--schema=$schema"); done
  printf 'parley-backup 1\nversion %s\nmade %s\nsecret %s\n\n' "$(svc-auth --version | cut -d' ' -f2)" "$(date -u +%FT%TZ)" "$sealed"
  pg_dump --dbname="$admin" --format=custom --compress=6 "${list[@]}"
}

restore() {
  local name value sealed= version= made=
  read -r name value && [ "$name $value" = "parley-backup 1" ] || die "this is no backup of Parley"
  while read -r name value && [ -n "$name" ]; do
    case $name in secret) sealed=$value ;; version) version=$value ;; made) made=$value ;; esac
  done
  [ "$(psql -qAtX "$admin" -c "SELECT count(*) FROM pg_tables WHERE schemaname = ANY (string_to_array('${schemas[*]}', ' '))")" = 0 ] ||
    die "the database is not empty: a backup is restored into an empty place" "With compose: down -v removes what is there."
  say "a backup of version $version, made $made"
  ours --open-secret <<<"$sealed"
  ours --init >/dev/null
  # The schemas are there, empty and with their owners: those of the dump take their place.
  pg_restore --dbname="$admin" --clean --if-exists --single-transaction --exit-on-error
  psql -qX "$admin" -c "ANALYZE"
  say "restored; start the services"
}

case $1 in
backup)
  [ "$file" = - ] || {
    [ ! -e "$file" ] || die "$file is there already"
    umask 077
    trap 'rm -f "$file.part"' EXIT
    exec >"$file.part"
  }
  backup
  [ "$file" = - ] || mv "$file.part" "$file"
  ;;
restore)
  [ "$file" = - ] || exec <"$file" || die "$file cannot be read"
  restore
  ;;
esac
