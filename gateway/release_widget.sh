#!/usr/bin/env bash
# release_widget.sh [DIR]: part of making a release: the widget of today stays served under its own name, like those of
# the two releases before it. DIR: gateway/static.
set -euo pipefail
here=$(dirname "$0")
dir=${1:-$here/static}
kept=3

name=$(bash "$here/widget_name.sh" "$dir/widget.js")
mkdir -p "$dir/released"
list=$dir/released/list.md # the latest first
cp "$dir/widget.js" "$dir/released/$name"
{ echo "$name" && if [ -e "$list" ]; then grep -vxF "$name" "$list" || true; fi; } | head -n "$kept" >"$list.tmp"
mv "$list.tmp" "$list"
for file in "$dir"/released/widget.*.js; do
  grep -qxF "$(basename "$file")" "$list" || rm "$file"
done
