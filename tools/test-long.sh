#!/usr/bin/env bash
# `make test` twice in a row in random order, from a clone under a folder of mode 0700; as root, and then as an ordinary user when
# started by root. TEST_LONG_USER names that user (nobody when unset); TEST_LONG_RUNS, how often. Ends with `N passed, N failed`.
set -uo pipefail
# shellcheck source=tools/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

RUNS="${TEST_LONG_RUNS:-2}"
ORDINARY_USER="${TEST_LONG_USER:-nobody}"
# How this machine reaches package registries, should something be missing.
mapfile -t NETWORK < <(env | grep -iE '^(https?_proxy|no_proxy|npm_config_[a-z_]+|node_extra_ca_certs|ssl_cert_file)=')
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

main() {
  run_as "$(id -un)"
  if [ "$(id -u)" -eq 0 ]; then run_as "$ORDINARY_USER"; fi
  printf '%s passed, %s failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}

run_as() {
  local user="$1" folder="$work/$1" run
  prepare "$folder" "$user" || { failed=$((failed + 1)) && return; }
  for run in $(seq "$RUNS"); do
    printf '\n== run %s of %s as %s\n' "$run" "$RUNS" "$user"
    as "$user" "$folder" make test | tee "$folder.log"
    count "$folder.log"
  done
}

# A clone of what is committed; packages and tools are taken over, so that nothing is fetched twice.
prepare() {
  local folder="$1" user="$2"
  mkdir -m 0700 "$folder"
  git clone -q "$CHECKOUT" "$folder/bullpen"
  cp -a "$CHECKOUT/node_modules" "$CHECKOUT/.tools" "$folder/bullpen/" 2>/dev/null
  mkdir -m 0700 "$folder/home" "$folder/tmp"
  if [ "$user" != "$(id -un)" ]; then
    # The way to the folder, and no more, is everybody's.
    chmod 0711 "$work"
    chown -R "$user" "$folder"
  fi
}

as() {
  local user="$1" folder="$2"
  shift 2
  local environment=(env -i PATH="$PATH" HOME="$folder/home" USER="$user" TMPDIR="$folder/tmp" LANG="${LANG:-C.UTF-8}" "${NETWORK[@]}")
  (
    cd "$folder/bullpen" || exit 1
    if [ "$user" = "$(id -un)" ]; then "${environment[@]}" "$@"; else setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups "${environment[@]}" "$@"; fi
  )
}

# A run that did not come to its tests has failed.
count() {
  local line
  line="$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$1" | tail -1)"
  line="${line:-0 1}"
  passed=$((passed + ${line% *}))
  failed=$((failed + ${line#* }))
}

main
