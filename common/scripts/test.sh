#!/usr/bin/env bash
# test.sh unit | e2e | test_MODULE ...: run tests that are built, show what fails, and close with "N passed, N failed".
#
# Unit tests (cmocka) and end-to-end tests (Node's runner) both speak TAP. A program that crashes, or stops before its
# last test, counts as one more failure. TEST_DATABASE_URL is an empty PostgreSQL for store tests, with pgvector and
# with the caller as superuser; it lives in build/<variant>/test-state and is kept between runs.
set -euo pipefail
cd "$(dirname "$0")/../.."
. common/scripts/lib.sh

variant=${VARIANT:-release}
build=build/$variant
export VARIANT=$variant
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_stack_use_after_return=1:strict_string_checks=1"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-}:print_stacktrace=1"
export LSAN_OPTIONS="${LSAN_OPTIONS:-}:suppressions=$PWD/tests/lsan.supp:print_suppressions=0"
export TSAN_OPTIONS="${TSAN_OPTIONS:-}:suppressions=$PWD/tests/tsan.supp:second_deadlock_stack=1"

passed=0 failed=0
skips=() failures=()

# Adds up the top level of one TAP output; 1 when something in it failed. Node's own totals count nested tests too.
count() { # NAME FILE STATUS
  local name=$1 file=$2 status=$3 ok not_ok planned skipped line
  skipped=$(grep -E '^ *(not )?ok .*# SKIP' "$file" | sed -E 's/^ *(not )?ok [0-9]* *-? *//; s/^# SKIP //') || true
  while IFS= read -r line; do
    [ -z "$line" ] || skips+=("$name: $line")
  done <<<"$skipped"
  if grep -q '^# tests ' "$file"; then
    ok=$(sed -n 's/^# pass //p' "$file" | tail -n 1)
    not_ok=$(($(sed -n 's/^# fail //p' "$file" | tail -n 1) + $(sed -n 's/^# cancelled //p' "$file" | tail -n 1)))
  else
    ok=$(grep -E '^ok ' "$file" | grep -vc '# SKIP') || true
    not_ok=$(grep -E '^not ok ' "$file" | grep -vc '# SKIP') || true
    planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$file" | tail -n 1)
    if [ "$(grep -cE '^(not )?ok ' "$file")" -lt "${planned:-1}" ]; then
      not_ok=$((not_ok + 1))
    fi
  fi
  [ "$status" = 0 ] || [ "$not_ok" -gt 0 ] || not_ok=1
  passed=$((passed + ok)) failed=$((failed + not_ok))
  [ "$not_ok" = 0 ]
}

describe_status() { [ "$1" -gt 128 ] && echo "killed by signal $(($1 - 128))" || echo "exit status $1"; }

unit() { # PROGRAM
  local name=${1##*/} out status=0 start=$EPOCHREALTIME
  out=$build/tests/$name.out
  { CMOCKA_MESSAGE_OUTPUT=TAP timeout "${TEST_TIMEOUT:-300}" "$1" >"$out" 2>&1 </dev/null || status=$?; } 2>/dev/null
  if count "$name" "$out" "$status"; then
    printf 'ok      %-28s %5d tests %7.2f s\n' "$name" "$(grep -c '^ok ' "$out")" "$(since "$start")"
  else
    printf 'FAILED  %-28s %s\n' "$name" "$(describe_status "$status")"
    sed 's/^/    /' "$out" | tail -n 60
    failures+=("$name")
  fi
}
since() { awk "BEGIN { print $EPOCHREALTIME - $1 }"; }

unit_all() {
  local program
  database
  for program; do
    [ -x "$program" ] || die "$program is not built"
    unit "$program"
  done
}

# A test that needs the database finds it under TEST_DATABASE_URL. One run at a time has it: `make -j2 test-a test-b`.
database() {
  local state=$PWD/$build/test-state
  mkdir -p -m 711 "$state"
  exec 8>"$state/lock"
  flock 8
  trap "PARLEY_STATE='$state' common/scripts/postgres.sh stop" EXIT
  PARLEY_STATE=$state PARLEY_POSTGRES_OPTIONS="-c fsync=off" common/scripts/postgres.sh start 8>&-
  TEST_DATABASE_URL=$(PARLEY_STATE=$state common/scripts/postgres.sh url parley_admin)
  export TEST_DATABASE_URL
}

e2e() {
  local word file name out status files=()
  shopt -s nullglob
  for word in ${ONLY:-""}; do
    files+=(tests/e2e/*"$word"*.test.mjs)
  done
  [ ${#files[@]} -gt 0 ] || die "no tests/e2e/*${ONLY:-}*.test.mjs"
  common/scripts/npm.sh
  for file in "${files[@]}"; do
    name=e2e/${file##*/}
    name=${name%.test.mjs}
    out=$build/tests/${name//\//-}.out
    mkdir -p "${out%/*}"
    status=0
    local start=$EPOCHREALTIME
    PATH=$PWD/tests/node_modules/.bin:$PATH timeout "${TEST_TIMEOUT:-900}" \
      node --test --test-reporter=tap "$file" >"$out" 2>&1 </dev/null || status=$?
    if count "$name" "$out" "$status"; then
      printf 'ok      %-28s %5d tests %7.2f s\n' "$name" "$(sed -n 's/^# pass //p' "$out" | tail -n 1)" "$(since "$start")"
    else
      printf 'FAILED  %-28s %s\n' "$name" "$(describe_status "$status")"
      grep -vE '^ *(ok|1\.\.|---|\.\.\.|duration_ms|type:)' "$out" | sed 's/^/    /' | tail -n 120
      failures+=("$name")
    fi
  done
}

for what; do
  case $what in
  unit) unit_all $(ls tests/unit/test_*.c 2>/dev/null | sed "s|tests/unit/\(.*\)\.c|$build/tests/\1|") ;;
  e2e) e2e ;;
  *) unit_all "$build/tests/$what" ;;
  esac
done
for skip in "${skips[@]}"; do
  echo "skipped $skip"
done
[ ${#failures[@]} -eq 0 ] || echo "failed: ${failures[*]}"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
