#!/bin/bash
# Builds blanche-verify.exe, and checks that it needs nothing that a Windows machine does not have.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/windows/toolchain.sh
/usr/bin/cargo build --locked --profile small --target "$triple" -p blanche-verify
program=$CARGO_TARGET_DIR/$triple/small/blanche-verify.exe
size=$(stat -c %s "$program")
libraries=$(x86_64-w64-mingw32-objdump -p "$program" | sed -n 's/^\s*DLL Name: //p' | tr 'A-Z\n' 'a-z ')
echo "$program: $size bytes; needs $libraries"
for library in $libraries; do
	case $library in
	advapi32.dll | api-ms-win-* | bcrypt.dll | bcryptprimitives.dll | kernel32.dll | msvcrt.dll | ntdll.dll | user32.dll | userenv.dll | ws2_32.dll) ;;
	*) echo "$library is not a part of every Windows"; exit 1 ;;
	esac
done
[ "$size" -lt 5000000 ] || { echo "The verifier must stay below 5 MB"; exit 1; }
