#!/bin/bash
# Makes the folder in which Wine keeps its Windows, $WINEPREFIX, if it is not there yet: seconds, once for each version of Wine.
set -euo pipefail
cd "$(dirname "$0")"
[ ! -e "$WINEPREFIX/complete" ] || exit 0
echo "Making a Wine prefix"
log=$WINEPREFIX.log
rm -rf "$WINEPREFIX"
mkdir -p "$WINEPREFIX"
./wine.sh wineboot -i >"$log" 2>&1
x86_64-w64-mingw32-gcc -shared -O2 -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" bcryptprimitives.c -ladvapi32
# There is no display.
./wine.sh reg add 'HKCU\Software\Wine\Drivers' /v Graphics /d null /f >>"$log" 2>&1
# The server of this ends, and has then written all of it.
timeout 60 /usr/lib/wine/wineserver64 --wait
touch "$WINEPREFIX/complete"
