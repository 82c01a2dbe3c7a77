#!/usr/bin/env bash
# static.sh DIR OPENAPI OUT: the gateway's static files as a C table (gateway/static_files.h) in OUT.
#
# Text goes in compressed, once, here; a file that is called .gz is so already and loses that ending. The assembler
# takes the bytes in (.incbin) from OUT.d, since a compiler takes seconds over an array of a megabyte.
set -euo pipefail
dir=$1 openapi=$2 out=$3
parts=$out.d
rm -rf "$parts"
mkdir -p "$parts"

n=0 rows=
add() { # FILE NAME
  local file=$1 name=$2 packed=false part=$parts/$n tag
  case $name in
  *.gz) name=${name%.gz} packed=true && cp "$file" "$part" ;;
  *.png | *.ico | *.woff2) cp "$file" "$part" ;;
  *) packed=true && gzip -9nc "$file" >"$part" ;;
  esac
  tag=$(sha256sum "$part" | cut -c1-16)
  echo "__asm__(\".section .rodata\\n.global static_$n, static_${n}_end\\n\""
  echo "        \"static_$n: .incbin \\\"$part\\\"\\nstatic_${n}_end: .byte 0\\n.previous\\n\");"
  echo "extern const unsigned char static_$n[], static_${n}_end[];"
  rows+="	{ \"$name\", static_$n, static_${n}_end, \"$tag\", $packed },"$'\n'
  n=$((n + 1))
}
{
  echo '/* Made by gateway/static.sh from gateway/static and the contracts. */'
  echo '#include "gateway/static_files.h"'
  while IFS= read -r name; do
    add "$dir/$name" "$name"
  done < <(cd "$dir" && find . -type f ! -name '*.md' | LC_ALL=C sort | sed 's|^\./||')
  add "$openapi" openapi.json
  printf 'const struct static_file static_files[] = {\n%s};\n' "$rows"
  echo "const unsigned static_file_count = $n;"
} >"$out.tmp"
mv "$out.tmp" "$out"
