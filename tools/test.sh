#!/usr/bin/env bash
# Every spec of every project, in random order, then the end-to-end ones again with one process a service. With arguments, which go to Jest, it
# runs once, in the mode that BULLPEN_MODE names. Ends with the line `N passed, N failed`.
set -uo pipefail
# shellcheck source=tools/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
cd "$CHECKOUT"
export PATH="$CHECKOUT/node_modules/.bin:$PATH"

# `processes` and `replicas` choose their mode themselves. The doors of `malformed` are the same code either way, and take both cores for a minute;
# so is the disk of `disk`; `oracle` tests a test.
BOTH_WAYS='apps/standalone/test/(?!(disk|malformed|oracle|processes|replicas)\.)[^/]*\.e2e\.spec\.ts$'

# A key or an address that somebody has set for a coding agent must not reach a test.
for variable in $(env | sed -n 's/^\(\(ANTHROPIC\|OPENAI\|CLAUDE\)[A-Z0-9_]*\)=.*/\1/p'); do unset "$variable"; done

passed=0
failed=0
result="$(mktemp)"
trap 'rm -f "$result"' EXIT

main() {
  if [ $# -gt 0 ]; then
    specs "$@"
  else
    BULLPEN_MODE=standalone specs
    BULLPEN_MODE=processes specs "$BOTH_WAYS"
  fi
  printf '%s passed, %s failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}

# One Jest run. One that came to no result has failed; so has a suite that cannot even load, which has no tests to count.
specs() {
  local counts status
  : >"$result"
  node --disable-warning=ExperimentalWarning --experimental-vm-modules node_modules/jest/bin/jest.js --randomize --json --outputFile="$result" "$@"
  status=$?
  counts="$(node -p '
    const { numPassedTests, numFailedTests, numFailedTestSuites, numTotalTests } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
    `${numPassedTests} ${Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0, numTotalTests === 0 ? 1 : 0)}`
  ' "$result" 2>/dev/null)" || counts='0 1'
  if [ "$status" -ne 0 ] && [ "${counts#* }" -eq 0 ]; then counts="${counts% *} 1"; fi
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
}

main "$@"
