#!/usr/bin/env bash
# settings.sh [--check]: bring README.md's table of settings and compose.yaml's lists up to date with what the programs say
# (--help), or say that they are not (--check).
set -euo pipefail
cd "$(dirname "$0")/../.."
. common/scripts/lib.sh
bin=build/${VARIANT:-release}
mapfile -t services < <(services)
printf -v ours "%s|" "${services[@]}"
ours=${ours%|}

# --help has a line "  NAME  default  what it is" per setting. The same setting of several programs is one row, and so are
# AUTH_WORKERS, DOCUMENTS_WORKERS ...: SERVICE_WORKERS.
table() {
  local program
  for program in gateway "${services[@]/#/svc-}"; do
    "$bin/$program" --help | sed -n "s/^  \([A-Z][A-Z0-9_]*\)  */${program#svc-}\t\1\t/p"
  done | awk -F'\t' -v "ours=^(${ours^^})_" -v "many=${#services[@]}" '
    # Of a setting that is not the same everywhere: the one program that differs, or how the values end.
    function others(n) {
      if (distinct[n] == 2) return ", " odd[n] " `" value[n, odd[n]] "`"
      return distinct[n] > 2 ? " … `" last[n] "`" : ""
    }
    {
      about = $3; fallback = ""
      if (match($3, /  +[^ ].*$/)) { fallback = substr($3, 1, RSTART - 1); about = substr($3, RSTART); sub(/^ +/, "", about) }
      line[NR] = $2; by[NR] = $1; is[NR] = about; was[NR] = fallback
      if (match($2, ours) && !seen[$2]++) of[substr($2, RLENGTH + 1)]++
    }
    END {
      for (i = 1; i <= NR; i++) {
        n = line[i]
        if (match(n, ours) && of[substr(n, RLENGTH + 1)] == many)
          n = "SERVICE_" substr(n, RLENGTH + 1)
        if (!(n in first)) { order[++count] = n; first[n] = was[i]; about_of[n] = is[i] }
        if (n ~ /^SERVICE_/) about_of[n] = is[i]
        last[n] = was[i]
        if (!((n, was[i]) in values)) { values[n, was[i]]; distinct[n]++; odd[n] = by[i]; value[n, by[i]] = was[i] }
        if (!((n, by[i]) in reads)) { reads[n, by[i]]; readers[n]++; who[n] = who[n] (who[n] ? ", " : "") by[i] }
      }
      print "| setting | default | read by | what it is |"
      print "|---|---|---|---|"
      for (i = 1; i <= count; i++) {
        n = order[i]; f = first[n]; gsub(/\|/, "\\|", about_of[n])
        f = f == "" ? "" : f == "(required)" ? "required" : "`" f "`" others(n)
        r = readers[n] == many + 1 ? "all" : readers[n] == many && who[n] !~ /gateway/ ? "each service" : who[n]
        print "| `" n "` | " f " | " r " | " about_of[n] " |"
      }
    }'
}

# Which of the settings in .env each container gets, and no other: "x-chat: &chat { CHAT_MODEL: , CHAT_API_KEY: , ... }".
# What compose.yaml itself says of addresses, ports and files is not among them.
lists() {
  local program
  for program in gateway "${services[@]/#/svc-}"; do
    "$bin/$program" --help | awk -v name="${program#svc-}" '
      match($0, /^  [A-Z][A-Z0-9_]*/) && !/^  (PARLEY_(LISTEN|SECRET|STATE)|PUBLIC_URL|CORS_ORIGINS|DATABASE_URL|[A-Z]+_(ADDRESS|LISTEN|ADMIN)) / {
        set = substr($0, 3, RLENGTH - 2)
        all[++n] = set ":"
        if (index($0, set "_FILE")) all[++n] = set "_FILE:"
      }
      END {
        line = "x-" name ": &" name "-settings {"
        for (i = 1; i <= n; i++) {
          item = " " all[i] (i < n ? " ," : " }")
          if (length(line item) > 138) { print line; line = "   " }
          line = line item
        }
        print line
      }'
  done
}

# Put what a function prints between two lines of a file.
renew() { # FILE FIRST LAST FUNCTION
  local new
  new=$(mktemp)
  {
    sed "/^$2\$/q" "$1"
    "$4"
    sed "1,/^$2\$/d" "$1" | sed -n "/^$3\$/,\$p"
  } >"$new"
  if cmp -s "$new" "$1"; then
    rm "$new"
    return
  fi
  [ -z "$check" ] || { rm "$new" && die "$1: the settings are not what the programs say: run common/scripts/settings.sh"; }
  cat "$new" >"$1" && rm "$new"
}

check=${1:-}
renew README.md '<!-- settings: from --help, by settings.sh -->' '<!-- end -->' table
renew compose.yaml '# settings: from --help, by settings.sh' '# end' lists
