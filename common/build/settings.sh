#!/usr/bin/env bash
# settings.sh: the names of all settings as a C table on stdout: what the tables of the programs name (CONFIG_... in their
# sources), the names that each service has with its own in front, and what the scripts read.
set -euo pipefail
cd "$(dirname "$0")/../.."
. common/scripts/lib.sh
mapfile -t services < <(services)

names() {
  # The entries of the tables, which go over several lines; a name is a string of capitals with a low line in it.
  grep -lE 'CONFIG_(##|TEXT|INT|BOOL|BETWEEN|ONE_OF|URL|EMAIL|LISTEN|PATH|SECRET)' gateway/*.c svc-*/*.c svc-*/*/*.c common/service/settings.c | xargs cat | grep -oE '"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+"' | tr -d '"'
  for service in "${services[@]^^}"; do
    printf "${service}_%s\n" ADDRESS $(sed -nE 's/.*(prefixed\([^"]*|INT\([^"]*|BETWEEN\([^"]*)"([A-Z_]+)".*/\2/p' common/service/settings.c)
  done
  grep -ohE '\$\{?PARLEY_[A-Z_]+' common/scripts/*.sh | tr -d '${'
  grep -oE '\$\{[A-Z_]+' compose.yaml | tr -d '${'
}

echo '/* Made by common/build/settings.sh. */'
echo 'extern const char *const config_names[];'
echo 'const char *const config_names[] = {'
names | LC_ALL=C sort -u | sed 's/.*/  "&",/'
echo '  0 };'
echo 'extern const char *const config_services[];'
echo 'const char *const config_services[] = {'
printf '  "%s_",\n' "${services[@]^^}"
echo '  0 };'
