#!/usr/bin/env bash
# widget_name.sh FILE: the name under which that widget is pinned: it changes with every byte.
set -euo pipefail
printf 'widget.%s.js\n' "$(sha256sum "$1" | cut -c1-16)"
