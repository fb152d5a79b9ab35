#!/usr/bin/env bash
# One Jest run over every project, in random order; arguments go to Jest. Ends with the line `N passed, N failed`.
set -uo pipefail
# shellcheck source=tools/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
cd "$CHECKOUT"
export PATH="$CHECKOUT/node_modules/.bin:$PATH"

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

result="$(mktemp)"
node --disable-warning=ExperimentalWarning --experimental-vm-modules node_modules/jest/bin/jest.js --randomize --json --outputFile="$result" "$@"
status=$?
node -e '
  const { numPassedTests, numFailedTests, numFailedTestSuites, numTotalTests } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8") || "{}");
  // A suite that cannot even load has no tests to count, and is a failure all the same.
  const failed = Math.max(numFailedTests ?? 1, numFailedTestSuites > 0 ? 1 : 0, numTotalTests === 0 ? 1 : 0);
  console.log(`${numPassedTests ?? 0} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
' "$result" || status=1
rm -f "$result"
exit "$status"
