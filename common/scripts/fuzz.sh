#!/usr/bin/env bash
# fuzz.sh SECONDS TARGET...: run each libFuzzer program so long, two at a time, from its seeds in
# tests/fuzz/corpus/<module>; what it finds interesting is kept in build/fuzz/corpus, what breaks it in build/fuzz/broken.
set -euo pipefail
cd "$(dirname "$0")/../.."
. common/scripts/lib.sh
seconds=$1
shift
[ $# -gt 0 ] || die "no targets in tests/fuzz"
mkdir -p build/fuzz/broken

fuzz_one() {
  local target=$1 module=${1#fuzz_} log=build/fuzz/$1.log status=0 runs
  mkdir -p "build/fuzz/corpus/$module"
  local seeds=("build/fuzz/corpus/$module")
  [ ! -d "tests/fuzz/corpus/$module" ] || seeds+=("tests/fuzz/corpus/$module")
  [ ! -e "tests/fuzz/corpus/$module.dict" ] || seeds+=("-dict=tests/fuzz/corpus/$module.dict")
  "build/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/broken/$module-" "${seeds[@]}" >"$log" 2>&1 </dev/null || status=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [ $status = 0 ]; then
    printf 'clean   %-28s %12s runs, %s inputs kept\n' "$module" "${runs:-?}" "$(ls "build/fuzz/corpus/$module" | wc -l)"
  else
    printf 'BROKEN  %-28s\n' "$module"
    grep -vE '^#[0-9]+' "$log" | tail -n 40 | sed 's/^/    /'
  fi
  return $status
}

status=0
running=0
for target; do
  if [ $running -ge "$(nproc)" ]; then
    wait -n || status=1
    running=$((running - 1))
  fi
  fuzz_one "$target" &
  running=$((running + 1))
done
while [ $running -gt 0 ]; do
  wait -n || status=1
  running=$((running - 1))
done
exit $status
