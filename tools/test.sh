#!/usr/bin/env bash
# One Jest run over every project, in random order; arguments go to Jest. Ends with the line `N passed, N failed`.
set -uo pipefail
# shellcheck source=tools/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
cd "$CHECKOUT"
export PATH="$CHECKOUT/node_modules/.bin:$PATH"

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
