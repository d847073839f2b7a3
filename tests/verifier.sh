#!/bin/bash
# Builds blanche-verify for Linux as one small static program (no name service is used, so a static glibc serves) and checks
# that it is one. With `test`, the tests of the finished program run on it as well.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
triple=$(rustc -vV | sed -n 's/^host: //p')
name=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$triple")_RUSTFLAGS
env "$name=-C target-feature=+crt-static -C relocation-model=static" cargo build --locked --profile small --target "$triple" -p blanche-verify
program=$target/$triple/small/blanche-verify
size=$(stat -c %s "$program")
linked=$(LC_ALL=C ldd "$program" 2>&1 || true)
echo "$program: $size bytes; ldd:$(sed 's/^\s*/ /' <<<"$linked")"
[[ $linked == *"not a dynamic executable"* ]] || { echo "It must be static"; exit 1; }
[ "$size" -lt 5000000 ] || { echo "The verifier must stay below 5 MB"; exit 1; }
if [ "${1:-}" = test ]; then
	BLANCHE_VERIFY_PROGRAM=$program cargo test --locked --release -p blanche-verify --test program
fi
