#!/bin/bash
# Runs a program for Windows under Wine, in a prefix of the tests: wine.sh PROGRAM [ARGUMENT …]
set -euo pipefail
: "${WINEPREFIX:?set by tests/windows/ready.sh}"
# Names of files are UTF-8 whatever the caller's locale is.
export WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe=" LC_ALL=C.UTF-8
exec /usr/lib/wine/wine64 "$@"
