#!/usr/bin/env bash
# Every spec of every project, in random order, then the end-to-end ones again with one process a service. With arguments, which go to Jest, it
# runs once, in the mode that BULLPEN_MODE names. Ends with the line `N passed, N failed`.
set -uo pipefail
# shellcheck source=tools/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
cd "$CHECKOUT"
export PATH="$CHECKOUT/node_modules/.bin:$PATH"

# `processes` and `replicas` choose their mode themselves. The doors of `malformed` are the same code either way, and take both cores for a minute;
# so is the disk of `disk`; `oracle` tests a test; the page of `dashboard` sees the gateway alone.
BOTH_WAYS='apps/standalone/test/(?!(dashboard|disk|malformed|oracle|processes|replicas)\.)[^/]*\.e2e\.spec\.ts$'

# The dashboard is tested in a real browser. Nothing else needs one.
provide_browser() {
  local candidate
  for candidate in "${CHROMIUM_PATH:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then return 0; fi
  done
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends chromium || { apt-get update && apt-get install -y --no-install-recommends chromium; } && return 0
  fi
  fail 'No Chromium for the tests of the dashboard. Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH to one.'
}
step 'browser' provide_browser || exit 1

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
