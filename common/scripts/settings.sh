#!/usr/bin/env bash
# settings.sh [--check]: bring README.md's table of settings up to date with what the programs say (--help), or say that
# it is not (--check).
set -euo pipefail
cd "$(dirname "$0")/../.."
. common/scripts/lib.sh
bin=build/${VARIANT:-release}
begin='<!-- settings: made by common/scripts/settings.sh -->'

# --help has a line "  NAME  default  what it is" per setting; the same setting of several programs is one row.
table() {
  local program
  for program in gateway svc-auth svc-documents svc-chatbots svc-chat svc-integrations; do
    "$bin/$program" --help | sed -n "s/^  \([A-Z][A-Z0-9_]*\)  */${program#svc-}\t\1\t/p"
  done | awk -F'\t' '
    {
      about = $3; fallback = ""
      if (match($3, /  +[^ ].*$/)) { fallback = substr($3, 1, RSTART - 1); about = substr($3, RSTART); sub(/^ +/, "", about) }
      if (!($2 in who)) { order[++count] = $2; fallbacks[$2] = fallback; abouts[$2] = about }
      who[$2] = who[$2] (who[$2] ? ", " : "") $1; readers[$2]++
    }
    END {
      print "| setting | default | read by | what it is |"
      print "|---|---|---|---|"
      for (i = 1; i <= count; i++) {
        n = order[i]; f = fallbacks[n]; gsub(/\|/, "\\|", abouts[n])
        by = readers[n] == 6 ? "all" : readers[n] == 5 && who[n] !~ /gateway/ ? "services" : who[n]
        print "| `" n "` | " (f == "" ? "" : f == "(required)" ? "required" : "`" f "`") " | " by " | " abouts[n] " |"
      }
    }'
}

new=$(mktemp)
trap 'rm -f "$new"' EXIT
{
  sed "/^$begin\$/q" README.md
  table
  sed "1,/^$begin\$/d" README.md | sed -n '/^<!-- end -->$/,$p'
} >"$new"
if cmp -s "$new" README.md; then
  exit 0
fi
[ "${1:-}" != --check ] || die "README.md's table of settings is not what the programs say: run common/scripts/settings.sh"
cp "$new" README.md
