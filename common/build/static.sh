#!/usr/bin/env bash
# static.sh DIR OPENAPI: the gateway's static files as a C table on stdout (gateway/static.h says of what shape).
set -euo pipefail
dir=$1 openapi=$2

echo '#include "gateway/static.h"'
list=$(cd "$dir" 2>/dev/null && find . -type f | LC_ALL=C sort | sed 's|^\./||') || list=
n=0
rows=
emit() { # FILE NAME
  printf 'static const unsigned char file_%d[] = {\n' "$n"
  od -An -v -tx1 "$1" | sed -e 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
  echo '};'
  rows+=$(printf '{ "%s", file_%d, sizeof file_%d },' "$2" "$n" "$n")$'\n'
  n=$((n + 1))
}
while IFS= read -r name; do
  [ -n "$name" ] && emit "$dir/$name" "$name"
done <<<"$list"
emit "$openapi" openapi.json
echo "const struct static_file static_files[] = {"
printf '%s' "$rows"
echo "};"
echo "const unsigned static_file_count = $n;"
