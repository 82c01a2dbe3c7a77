#!/usr/bin/env bash
# static.sh DIR OPENAPI OUT: the gateway's static files as a C table (gateway/static_files.h) in OUT.
#
# docs/guides/NAME.md becomes docs/guides/NAME.html. Text goes in compressed, once, here; a file that is called .gz is so already and loses that ending. The assembler
# takes the bytes in (.incbin) from OUT.d, since a compiler takes seconds over an array of a megabyte.
#
# The widget is there a second time, under a name that changes with it, and widget.json tells that name and its integrity,
# for sites that pin it. What lies in DIR/released (release_widget.sh) keeps its own such names.
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
# Our own Markdown, with links between guides as a repository's reader follows them: [Slack](slack.md).
guide() { # FILE
  local title
  title=$(sed -n 's/^# //p;T;q' "$1")
  cat <<END
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title - Parley</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page.css">
</head>
<body>
<main class="guide">
<p class="name"><a href="/"><img src="/favicon.svg" alt="" width="34" height="34">Parley</a><a href="/docs/guides">Guides</a><a href="/docs">API</a></p>
END
  cmark --smart "$1" | sed -e 's|href="\([a-z-]*\)\.md\(#[A-Za-z-]*\)\{0,1\}"|href="/docs/guides/\1\2"|g' -e 's|href="/docs/guides/index"|href="/docs/guides"|g' \
    -e '/<!-- raw HTML omitted -->/d' -e 's|<pre>|<pre tabindex="0">|' -e 's|<h\([23]\)>\(.*\)</h|<h\1 id="\2">\2</h|' |
    sed -e ':a;s|\(<h[23] id="[^"]*\)[^a-zA-Z0-9"<>=-]\{1,\}|\1-|;ta'
  echo '</main></body></html>'
}
{
  echo '/* Made by gateway/static.sh from gateway/static and the contracts. */'
  echo '#include "gateway/static_files.h"'
  while IFS= read -r name; do
    add "$dir/$name" "${name#released/}"
  done < <(cd "$dir" && find . -type f ! -name '*.md' | LC_ALL=C sort | sed 's|^\./||')
  for md in "$dir"/docs/guides/*.md; do
    [ -e "$md" ] || continue
    guide "$md" >"$parts/guide.html"
    add "$parts/guide.html" "docs/guides/$(basename "$md" .md).html"
  done
  rm -f "$parts/guide.html"
  add "$openapi" openapi.json
  if [ -e "$dir/widget.js" ]; then
    pinned=$(bash "$(dirname "$0")/widget_name.sh" "$dir/widget.js")
    [ -e "$dir/released/$pinned" ] || add "$dir/widget.js" "$pinned"
    # shellcheck disable=SC2059 # the format is the hash, as bytes
    integrity=$(printf "$(sha384sum "$dir/widget.js" | cut -c1-96 | sed 's/../\\x&/g')" | base64 -w0)
    printf '{"url":"/%s","integrity":"sha384-%s"}\n' "$pinned" "$integrity" >"$parts/widget.json"
    add "$parts/widget.json" widget.json
  fi
  printf 'const struct static_file static_files[] = {\n%s};\n' "$rows"
  echo "const unsigned static_file_count = $n;"
} >"$out.tmp"
mv "$out.tmp" "$out"
