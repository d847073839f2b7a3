#!/bin/bash
# The tag's and the verifier's own tests as programs for Windows, under Wine; then the tests of the finished program, made
# on Linux with real media, against blanche-verify.exe.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/windows/ready.sh
status=0
(
	. tests/windows/toolchain.sh
	# Not the examples in documents: rustdoc does not hear of the library that was built.
	CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$PWD/tests/windows/wine.sh \
		/usr/bin/cargo test --locked --release --no-fail-fast --lib --bins --tests --target "$triple" \
		-p blanche-tag -p blanche-verify
) || status=$?
# The media are made by programs of Linux, so these tests run there.
BLANCHE_VERIFY_SYSTEM=windows BLANCHE_VERIFY_PROGRAM=$PWD/tests/windows/blanche-verify.sh \
	cargo test --locked --release -p blanche-verify --test program -- --test-threads=2 || status=$?
exit "$status"
