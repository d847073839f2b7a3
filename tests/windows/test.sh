#!/bin/bash
# The tag's and the verifier's own tests as programs for Windows, under Wine; then the tests of the finished program, made
# on Linux with real media, against blanche-verify.exe.
set -euo pipefail
cd "$(dirname "$0")/../.."
linux_target=${CARGO_TARGET_DIR:-$PWD/target}
linux_path=$PATH
tests/windows/build.sh
(
	. tests/windows/toolchain.sh
	export WINEPREFIX=$cache/wine-$(dpkg-query -W -f='${Version}' wine64)
	if [ ! -e "$WINEPREFIX/complete" ]; then
		echo "Making a Wine prefix"
		rm -rf "$WINEPREFIX"
		mkdir -p "$WINEPREFIX"
		tests/windows/wine.sh wineboot -i >"$cache/wineboot.log" 2>&1
		x86_64-w64-mingw32-gcc -shared -O2 -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" \
			tests/windows/bcryptprimitives.c -ladvapi32
		# There is no display.
		tests/windows/wine.sh reg add 'HKCU\Software\Wine\Drivers' /v Graphics /d null /f >>"$cache/wineboot.log" 2>&1
		touch "$WINEPREFIX/complete"
	fi
	# The first start of a server takes seconds; it stays for the tests.
	export BLANCHE_VERIFY_EXE=$CARGO_TARGET_DIR/$triple/small/blanche-verify.exe
	tests/windows/blanche-verify.sh --version
	status=0
	# Not the examples in documents: rustdoc does not hear of the library that was built.
	CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$PWD/tests/windows/wine.sh \
		/usr/bin/cargo test --locked --release --no-fail-fast --lib --bins --tests --target "$triple" \
		-p blanche-tag -p blanche-verify || status=$?
	# The media are made by programs of Linux, so these tests run there.
	unset RUSTC RUSTDOC
	PATH=$linux_path CARGO_TARGET_DIR=$linux_target BLANCHE_VERIFY_SYSTEM=windows \
		BLANCHE_VERIFY_PROGRAM=$PWD/tests/windows/blanche-verify.sh \
		cargo test --locked --release -p blanche-verify --test program -- --test-threads=2 || status=$?
	WINEPREFIX=$WINEPREFIX /usr/lib/wine/wineserver64 -k || true
	exit "$status"
)
