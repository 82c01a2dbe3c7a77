#!/usr/bin/env bash
# migrations.sh SERVICE: the service's migrations as a C table on stdout: those of common/ first (numbers below 100
# are theirs: tables that every service has), then svc-SERVICE/migrations, which begin at 100. A number is used once.
set -euo pipefail
service=$1

literal() { # a file as a C string literal, line by line
  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$/\\n"/' "$1"
}

wrong() {
  echo "migrations.sh: $1" >&2
  exit 1
}
declare -A seen

echo '#include "common/db/db.h"'
echo "extern const struct db_migration ${service}_migrations[];"
echo "const struct db_migration ${service}_migrations[] = {"
for file in $(ls common/*/*.sql | sort -t/ -k3) "svc-$service"/migrations/*.sql; do
  [ -e "$file" ] || continue
  base=$(basename "$file" .sql)
  number=$((10#${base%%_*}))
  case $file in
    common/*) [ "$number" -lt 100 ] || wrong "$file: migrations of common/ are numbered below 100" ;;
    *) [ "$number" -ge 100 ] || wrong "$file: migrations of a service begin at 100; below are those of common/" ;;
  esac
  [ -z "${seen[$number]:-}" ] || wrong "$file: the number $number is taken by ${seen[$number]}"
  seen[$number]=$file
  printf '{ %d, "%s",\n%s },\n' "$number" "${base#*_}" "$(literal "$file")"
done
echo "{ 0 } };"
