#!/usr/bin/env bash
# Style, types, boundaries and contracts. Every check runs, whatever the one before it says.
set -uo pipefail
# shellcheck source=tools/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
cd "$CHECKOUT"
export PATH="$CHECKOUT/node_modules/.bin:$PATH"

failed=0
run() { step "$@" || failed=1; }

# What was added is guarded from then on too.
baseline_is_fresh() {
  buf build -o -#format=json | cmp - proto/baseline.json || fail 'Renew it in this commit: buf build -o proto/baseline.json'
}

run 'oxlint' oxlint --type-aware --deny-warnings --format unix
run 'import boundaries' depcruise --config .dependency-cruiser.mjs --output-type err libs services apps
run 'project manifests' node tools/check-projects.mjs
run 'types of the tests' node node_modules/typescript7/bin/tsc -p tsconfig.spec.json
run 'size of the dashboard' node tools/check-bundle.mjs
run 'API description' node tools/openapi.mjs --check
run 'buf lint' buf lint
run 'buf breaking' buf breaking --against proto/baseline.json
run 'proto baseline' baseline_is_fresh
exit "$failed"
