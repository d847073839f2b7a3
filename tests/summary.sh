#!/bin/bash
# Adds up the lines `test result:` of the logs named, after saying once more what failed and why: a long log is often kept only at its end.
set -euo pipefail
awk '
	FNR == 1 { left = 0 }
	# The words of one test that failed: from libtest, or from unittest of Python.
	/^---- .* stdout ----$/ || /^(FAIL|ERROR): / { left = 40 }
	/^failures:$/ || /^Ran [0-9]+ tests? / { left = 0 }
	left > 0 || / \.\.\. FAILED/ { print; if (left > 0) left-- }
	/^test result:/ { passed += $4; failed += $6 }
	END { printf "%d passed, %d failed\n", passed, failed }
' "$@"
