#!/usr/bin/env bash
# readme.sh [URL]: run the README's first conversation, its lines as they stand, against the stack at localhost:PARLEY_PORT
# (8000), and check what it printed. The same port takes the place of 8000, and PAGE_PORT (8080) that of 8080; nothing else is
# changed.
set -euo pipefail
cd "$(dirname "$0")/.."
port=${PARLEY_PORT:-8000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n '/^<!-- conversation/,/^<!-- end/p' README.md | sed '/^<!--/d;/^```/d' | sed "s|localhost:8000|localhost:$port|; s|localhost:8080|localhost:${PAGE_PORT:-8080}|" >"$work/lines.sh"
[ -s "$work/lines.sh" ] || { echo "README.md has no conversation"; exit 1; }
bash -eu -o pipefail "$work/lines.sh" >"$work/out" 2>&1 || { cat "$work/out"; echo "a line of the README failed"; exit 1; }

expect() { # WHAT PATTERN
  grep -qE "$2" "$work/out" || { cat "$work/out"; echo "the README's conversation shows no $1 (/$2/)"; exit 1; }
}
expect "text article" '^\["The Normans","txt",(1|null|0),[0-9]+,"ready"\]$'
expect "PDF with its pages" '^\["Six Articles","pdf",82,[0-9]+,"ready"\]$'
expect "streamed answer" '^event: delta'
expect "sources" '^event: sources'
expect "end of the stream" '^event: done'
expect "right passage" 'March 1974'
expect "right passage for the second question" 'Rollo'
expect "source that is the document's own text" '^true$'
expect "page with the chatbot's line" '^<!doctype html>.*<script src="http://localhost:[0-9]+/widget\.js" data-chatbot="[0-9a-f-]{36}" async></script>$'
