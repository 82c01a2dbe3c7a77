#!/usr/bin/env bash
# deps.sh GROUP...: have the Debian packages that a job needs. Silent and quick when they are all there; otherwise says
# which it installs and installs them (with sudo when not root), or names exactly what is missing and how to get it.
#
#   build  compile Parley          test   its tests            tidy, fuzz, bench, fresh   what these targets need
#   ocr    read text in pictures
#   run    start it: PostgreSQL with pgvector, and what the README's lines use
#
# Debian 12 and 13, and Ubuntu releases with the same packages. Debian 12 has no pgvector: it is compiled from Debian
# 13's source package, fetched through a private sources list; the system's own lists stay as they are.
set -euo pipefail
cd "$(dirname "$0")/../.."
. common/scripts/lib.sh

# A package, or command=package when it does not matter where the command comes from.
packages() {
  case $1 in
  build) echo cc=gcc libc6-dev make=make pkg-config=pkg-config protoc=protobuf-compiler protoc-c=protobuf-c-compiler \
    libprotobuf-dev libprotobuf-c-dev libpq-dev libjson-c-dev libcurl4-openssl-dev libssl-dev libjwt-dev libnng-dev \
    libcivetweb-dev zlib1g-dev libargon2-dev libxml2-dev libarchive-dev libgumbo-dev libseccomp-dev libcmark-dev cmark=cmark libstemmer-dev libunistring-dev libuchardet-dev libidn2-dev ;;
  run) echo pdftotext=poppler-utils poppler-data ca-certificates curl=curl jq=jq ;; # and PostgreSQL: see postgres_missing
  test) echo libcmocka-dev node=nodejs npm=npm chromium=chromium ;;
  ocr) echo tesseract=tesseract-ocr tesseract-ocr-eng ;;
  tidy) echo clang-format-14 clang-tidy-14 libcmocka-dev ;; # Debian 12's: other versions format otherwise
  fuzz) echo clang=clang libclang-rt-dev ;;
  bench) echo wrk=wrk python3-fastapi python3-asyncpg python3-uvicorn python3-uvloop python3-httptools python3-jwt ;;
  fresh) echo debootstrap=debootstrap ;;
  *) die "deps.sh: no such group: $1 (build, run, ocr, test, tidy, fuzz, bench, fresh)" ;;
  esac
}

# Which of these packages are not here.
missing() {
  local entry names=()
  for entry; do
    case $entry in
    *=*) command -v "${entry%%=*}" >/dev/null || echo "${entry#*=}" ;;
    *) names+=("$entry") ;;
    esac
  done
  [ ${#names[@]} -gt 0 ] || return 0
  # dpkg-query says nothing on stdout of packages it has never heard of
  comm -23 <(printf '%s\n' "${names[@]}" | sort) \
    <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${names[@]}" 2>/dev/null | sed -n 's/ installed$//p' | sort -u)
}

# PostgreSQL and pgvector: what is missing of them, in package names; the word "pgvector" when it must be compiled.
postgres_missing() {
  local bin version
  if bin=$(postgres_bin); then
    [ ! -e "$(postgres_vector "$bin")" ] || return 0
    version=${bin%/bin}
    version=${version##*/}
  else
    version=$(apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1)
    [ -n "$version" ] || die "no PostgreSQL here and none among the packages that apt knows"
    echo "postgresql-$version"
  fi
  if apt-cache show "postgresql-$version-pgvector" >/dev/null 2>&1; then
    echo "postgresql-$version-pgvector"
  else
    echo pgvector
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

may_be_root() {
  [ "$(id -u)" = 0 ] && return 0
  command -v sudo >/dev/null || return 1
  sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; } # a person at a terminal may type the password
}

log=build/deps.log
logged() { # run it, its chatter into the log; when it fails, show the end of that
  "$@" >>$log 2>&1 </dev/null || {
    tail -n 15 $log >&2
    die "failed: $*" "The whole log: $log"
  }
}

# Without this the package of PostgreSQL starts a server of its own on port 5432, which nobody asked for.
install_quietly() {
  local hold=/etc/postgresql-common/createcluster.d/parley.conf status=0
  if [[ " $* " == *" postgresql-"* ]] && [ ! -e /etc/postgresql ]; then
    as_root mkdir -p "${hold%/*}"
    echo "create_main_cluster = false" | as_root tee $hold >/dev/null
  fi
  (logged as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "$@") || status=1
  as_root rm -f $hold
  return $status
}

# pgvector from the source package of Debian 13, against the headers of the PostgreSQL that is here. The headers'
# package is only unpacked, not installed: it would bring all of LLVM.
compile_pgvector() {
  local bin version base key=/usr/share/keyrings/debian-archive-keyring.gpg work
  bin=$(postgres_bin)
  version=${bin%/bin}
  version=${version##*/}
  base=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 'Origin: Debian' |
    grep -v security | head -n 1)
  [ -n "$base" ] || die "pgvector: no Debian mirror among the sources of apt"
  say "compiling pgvector (Debian 13's source package, from $base) for PostgreSQL $version"

  work=$(mktemp -d)
  trap "rm -rf '$work'" EXIT
  mkdir -p "$work/lists/partial" "$work/src" "$work/parts"
  echo "deb-src [signed-by=$key] $base trixie main" >"$work/sources.list"
  local private=(-q -o "Dir::Etc::SourceList=$work/sources.list" -o "Dir::Etc::SourceParts=$work/parts"
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache="
    -o APT::Sandbox::User=root -o Acquire::Languages=none)
  logged apt-get "${private[@]}" update
  (cd "$work/src" && apt-get "${private[@]}" source --download-only pgvector) >>$log 2>&1 ||
    die "pgvector: its source could not be fetched; see $log"
  mkdir "$work/pgvector"
  logged tar -xf "$work"/src/pgvector_*.orig.tar.gz -C "$work/pgvector" --strip-components=1

  (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "postgresql-server-dev-$version") >>$log 2>&1 ||
    die "pgvector: postgresql-server-dev-$version could not be fetched; see $log"
  logged dpkg-deb -x "$work"/postgresql-server-dev-*.deb "$work/dev"
  # pg_config reports what lies round itself: a copy of it makes the unpacked headers a complete tree to install into.
  local tree="$work/dev/usr/lib/postgresql/$version"
  mkdir -p "$tree/bin"
  cp "$bin/pg_config" "$tree/bin/"
  cp -r "${bin%/bin}/lib/pgxs" "$tree/lib/"
  logged make -C "$work/pgvector" PG_CONFIG="$tree/bin/pg_config" with_llvm=no OPTFLAGS= all install # no -march=native
  as_root install -m 755 "$tree/lib/vector.so" "${bin%/bin}/lib/"
  as_root install -m 644 "$work/dev/usr/share/postgresql/$version/extension"/vector* \
    "/usr/share/postgresql/$version/extension/"
}

main() {
  local group want=() lack=() run=
  [ $# -gt 0 ] || set -- build run test
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian: cannot look whether packages are missing; going on"
    return
  fi
  for group; do
    want+=($(packages "$group"))
    [ "$group" != run ] || run=1
  done
  lack=($(missing "${want[@]}"))
  if [ -n "$run" ]; then
    lack+=($(postgres_missing))
  fi
  [ ${#lack[@]} -gt 0 ] || return 0

  if ! may_be_root; then
    die "missing Debian packages: ${lack[*]/pgvector/pgvector (compiled from Debian 13\'s source)}" \
      "Neither root nor sudo here. As root, run: $PWD/common/scripts/deps.sh $*"
  fi
  mkdir -p build
  : >$log
  [ "$(id -u)" != 0 ] || chown --reference=. build $log # run by root for another user's checkout
  say "installing: ${lack[*]}  (log: $log)"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update >>$log 2>&1 </dev/null ||
    say "apt-get update failed; trying with the lists as they are"
  # With fresh lists: which packages PostgreSQL and pgvector are may have been unknown before.
  lack=($(missing "${want[@]}"))
  if [ -n "$run" ]; then
    lack+=($(postgres_missing))
  fi
  local plain=("${lack[@]/#pgvector/}")
  plain=(${plain[*]})
  local name unknown=()
  for name in "${plain[@]}"; do
    apt-cache show "$name" >/dev/null 2>&1 || unknown+=("$name")
  done
  [ ${#unknown[@]} -eq 0 ] || die "this release has no package ${unknown[*]}"
  [ ${#plain[@]} -eq 0 ] || install_quietly "${plain[@]}"
  if [[ " ${lack[*]} " == *" pgvector "* ]]; then
    compile_pgvector
  fi
  lack=($(missing "${want[@]}"))
  [ ${#lack[@]} -eq 0 ] || die "still missing after the installation: ${lack[*]}"
}
main "$@"
