#!/usr/bin/env bash
# Generated code, TypeScript, and the runner as one file. What has not changed is not made again.
set -euo pipefail
# shellcheck source=tools/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
cd "$CHECKOUT"
export PATH="$CHECKOUT/node_modules/.bin:$PATH"

GENERATED=libs/contracts/src/gen
RUNNER=services/sandbox-runner/dist/runner.mjs
SITE=apps/web/dist/site

main() {
  step 'contracts from proto/' generate
  step 'TypeScript' compile
  step 'sandbox runner' bundle
  step 'dashboard' build_site
}

generate() {
  local hash
  hash="$(find proto buf.gen.yaml buf.yaml -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1)"
  if [ "$(cat "$GENERATED/.proto-hash" 2>/dev/null)" = "$hash" ]; then
    say_note unchanged
    return 0
  fi
  rm -rf "$GENERATED"
  buf generate proto
  printf '%s\n' "$hash" >"$GENERATED/.proto-hash"
}

compile() { node node_modules/typescript7/bin/tsc -b; }

bundle() {
  # It is made from sources, not from what the compiler wrote.
  if [ -f "$RUNNER" ] && [ -z "$(find libs services/sandbox-runner package-lock.json -name node_modules -prune -o -path '*/dist/*' -prune -o \( -name '*.ts' -o -name 'package*.json' \) -newer "$RUNNER" -print | head -1)" ]; then
    say_note unchanged
    return 0
  fi
  npm run --silent bundle -w @bullpen/sandbox-runner
}

build_site() {
  local made="$SITE/index.html"
  if [ -f "$made" ] && [ -z "$(find apps/web libs package-lock.json -name node_modules -prune -o -name dist -prune -o -type f -newer "$made" -print | head -1)" ]; then
    say_note unchanged
    return 0
  fi
  npm run --silent build -w @bullpen/web -- --logLevel warn
  node tools/compress-site.mjs "$SITE"
}

main
