#!/usr/bin/env bash
# test.sh unit | e2e | fault | test_MODULE ...: run tests that are built, show what fails, and close with "N passed, N failed".
#
# Unit tests (cmocka) and end-to-end tests (Node's runner) both speak TAP. A program that crashes, or stops before its
# last test, counts as one more failure. TEST_DATABASE_URL is an empty database for a store test, in a PostgreSQL with
# pgvector and with the caller as superuser; it lives in build/<variant>/test-state and is kept between runs. Tests wait
# more than they work: several run at a time (TEST_AT_ONCE). With TEST_AGAIN=1 what failed beside others is run once
# more, alone: if it passes then it counts as passed, and is named; what it printed before stays on the screen.
set -euo pipefail
cd "$(dirname "$0")/../.."
. common/scripts/lib.sh

variant=${VARIANT:-release}
build=build/$variant
export VARIANT=$variant
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_stack_use_after_return=1"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-}:print_stacktrace=1"
suppressions=$PWD/tests/lsan.supp
[ -z "$(find /usr/lib /usr/local/lib -name 'libnng.so.1.5.*' -print -quit)" ] || suppressions=$PWD/tests/lsan_nng15.supp
export LSAN_OPTIONS="${LSAN_OPTIONS:-}:suppressions=$suppressions:print_suppressions=0"
export TSAN_OPTIONS="${TSAN_OPTIONS:-}:suppressions=$PWD/tests/tsan.supp:second_deadlock_stack=1"

# How long a file may take: a sanitizer's program takes some four times as long.
[ "$variant" = release ] && longer=1 || longer=4
unit_limit=${TEST_TIMEOUT:-$((300 * longer))} e2e_limit=${TEST_TIMEOUT:-$((900 * longer))}

passed=0 failed=0 before=0
skips=() failures=() unstable=()
declare -A passed_of=() failed_of=()

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
  before=$passed
  passed=$((passed + ok)) failed=$((failed + not_ok))
  passed_of[$name]=$ok failed_of[$name]=$not_ok
  [ "$not_ok" = 0 ]
}

describe_status() { [ "$1" -gt 128 ] && echo "killed by signal $(($1 - 128))" || echo "exit status $1"; }

since() { awk "BEGIN { print $EPOCHREALTIME - $1 }"; }

# Runs KIND NAME for each name, so many at a time, and reports on each as it ends.
declare -A name_of=() began=()
side_by_side() { # KIND AT_ONCE NAME...
  local kind=$1 most=$2 ended status
  shift 2
  while [ $# -gt 0 ] || [ ${#name_of[@]} -gt 0 ]; do
    while [ $# -gt 0 ] && [ ${#name_of[@]} -lt "$most" ]; do
      $kind "$1" &
      name_of[$!]=$1 began[$1]=$EPOCHREALTIME
      shift
    done
    status=0
    { wait -n -p ended "${!name_of[@]}" || status=$?; } 2>/dev/null
    report "${name_of[$ended]}" $status
    unset "name_of[$ended]"
  done
}

output_of() { echo "$build/tests/${1//\//-}.out"; }

report() { # NAME STATUS
  local name=$1 out
  out=$(output_of "$name")
  if count "$name" "$out" "$2"; then
    printf 'ok      %-28s %5d tests %7.2f s\n' "$name" "$((passed - before))" "$(since "${began[$name]}")"
  else
    printf 'FAILED  %-28s %s\n' "$name" "$(describe_status "$2")"
    grep -vE '^ *(ok|1\.\.|---|\.\.\.|duration_ms|type:)' "$out" | sed 's/^/    /' | tail -n 120 || true # (it may have said nothing)
    failures+=("$name")
  fi
}

# A machine that is busy for a moment fails a file or two; more is no accident, and is not asked twice.
again() { # KIND NAME...: those that have just run
  local kind=$1 name
  shift
  [ -n "${TEST_AGAIN:-}" ] && [ ${#failures[@]} -le 3 ] || return 0
  for name; do
    [[ " ${failures[*]} " == *" $name "* ]] || continue
    passed=$((passed - passed_of[$name])) failed=$((failed - failed_of[$name]))
    mapfile -t failures < <(printf '%s\n' "${failures[@]}" | grep -vxF "$name" || true)
    unstable+=("$name")
    side_by_side "$kind" 1 "$name"
  done
}

unit() { # test_MODULE
  local program=$build/tests/$1
  # Who looks into the database has one of its own in the server that all share.
  if grep -q 'tests/unit/pg\.c' "tests/unit/$1.c"; then
    psql -qX "$database" -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1" >/dev/null 2>&1
    export TEST_DATABASE_URL="$database dbname=$1"
  fi
  # (Strict: each call on a string measures the whole of it, which of a page of some megabytes is a day's work end to end.)
  ASAN_OPTIONS=$ASAN_OPTIONS:strict_string_checks=1 CMOCKA_MESSAGE_OUTPUT=TAP timeout "$unit_limit" "$program" >"$(output_of "$1")" 2>&1 </dev/null
}

unit_all() {
  local name
  for name; do
    [ -x "$build/tests/$name" ] || die "$build/tests/$name is not built"
  done
  database
  side_by_side unit "${TEST_AT_ONCE:-4}" "$@"
  again unit "$@"
}

# A PostgreSQL for the unit tests. One run at a time has it: `make -j2 test-a test-b`.
database() {
  local state=$PWD/$build/test-state
  mkdir -p -m 711 "$state"
  exec 8>"$state/lock"
  flock 8
  trap "PARLEY_STATE='$state' common/scripts/postgres.sh stop" EXIT
  PARLEY_STATE=$state PARLEY_POSTGRES_OPTIONS="-c fsync=off" common/scripts/postgres.sh start 8>&-
  database=$(PARLEY_STATE=$state common/scripts/postgres.sh url parley_admin)
}

e2e() { # e2e/NAME, fault/NAME
  PATH=$PWD/tests/node_modules/.bin:$PATH timeout "$e2e_limit" \
    node --test --test-reporter=tap "tests/$1.test.mjs" >"$(output_of "$1")" 2>&1 </dev/null
}

# Files run two at a time; those that say "alone" in their first line, for they measure time, one after the other.
e2e_all() { # FOLDER
  local folder=tests/$1 word file together=() alone=()
  for word in ${ONLY:-""}; do
    for file in $(ls "$folder/$word.test.mjs" 2>/dev/null || ls "$folder"/*"$word"*.test.mjs 2>/dev/null); do
      file=${file#tests/}
      if head -n 1 "tests/$file" | grep -qw alone; then
        alone+=("${file%.test.mjs}")
      else
        together+=("${file%.test.mjs}")
      fi
    done
  done
  [ $((${#alone[@]} + ${#together[@]})) -gt 0 ] || die "no $folder/*${ONLY:-}*.test.mjs"
  mkdir -p "$build/tests"
  common/scripts/npm.sh
  empty_cluster
  side_by_side e2e "${TEST_AT_ONCE:-3}" "${together[@]}"
  side_by_side e2e 1 "${alone[@]}"
  again e2e "${together[@]}" "${alone[@]}"
}

# Each stack has a database of its own, copied from one that is made once.
empty_cluster() {
  local state
  state=$PWD/$build/empty-cluster-$(cksum <common/scripts/postgres.sh | cut -d' ' -f1)
  if [ ! -e "$state/made" ]; then
    mkdir -p -m 711 "$state"
    PARLEY_STATE=$state common/scripts/postgres.sh start
    PARLEY_STATE=$state common/scripts/postgres.sh stop
    touch "$state/made"
  fi
  PARLEY_POSTGRES_TEMPLATE=$(readlink -f "$state/postgres")/data
  export PARLEY_POSTGRES_TEMPLATE
}

named=()
for what; do
  case $what in
  unit) unit_all $(ls tests/unit/test_*.c | sed 's|.*/\(.*\)\.c|\1|') ;;
  e2e | fault) e2e_all "$what" ;;
  *) named+=("$what") ;;
  esac
done
[ ${#named[@]} = 0 ] || unit_all "${named[@]}"
for skip in "${skips[@]}"; do
  echo "skipped $skip"
done
[ ${#unstable[@]} -eq 0 ] || echo "failed beside others, and were run again alone: ${unstable[*]}"
[ ${#failures[@]} -eq 0 ] || echo "failed: ${failures[*]}"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
