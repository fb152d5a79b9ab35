#!/usr/bin/env bash
# The fault suite: kills and cuts at moments that fresh seeds pick, one after the other. Arguments go to Jest. Ends with a table and `N passed, N failed`.
# SEED=N[,N…] repeats seeds; FAULT_SEEDS=N takes fewer of them; BULLPEN_MODE=processes runs one process a service.
set -uo pipefail
# shellcheck source=tools/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
cd "$CHECKOUT"

FAULTS_RECORD="$(mktemp)"
export FAULTS_RECORD
result="$(mktemp)"
trap 'rm -f "$FAULTS_RECORD" "$result"' EXIT

tools/test.sh "$@" --runInBand --testMatch '**/*.faults.spec.ts' --testPathIgnorePatterns=/node_modules/ --testPathIgnorePatterns=/dist/ >"$result"
status=$?
sed '$d' "$result"
node_modules/.bin/node tools/fault-table.mjs "$FAULTS_RECORD"
tail -1 "$result"
exit "$status"
