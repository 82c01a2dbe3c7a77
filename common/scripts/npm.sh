#!/usr/bin/env bash
# npm.sh: have the packages of tests/package-lock.json in tests/node_modules; quick when they are there. NPM=prism: those of
# tests/prism.
set -euo pipefail
cd "$(dirname "$0")/../.."
. common/scripts/lib.sh
cd "tests/${NPM:-}"
stamp=node_modules/.installed
[ -e package-lock.json ] || exit 0
! cmp -s package-lock.json $stamp || exit 0
say "installing the test programs of tests/${NPM:+$NPM/}package-lock.json"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
cp package-lock.json $stamp
