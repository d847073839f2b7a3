#!/bin/bash
# Fuzzes one target: run.sh TARGET SECONDS SEED. What it says comes when it is over: of several side by side each stands together.
set -uo pipefail
cd "$(dirname "$0")/../.."
# The largest allocation in MiB: for a part of a tag a few times the bytes that it may have here, whatever it announces.
case $1 in
claims | manifest | envelope | revocations) largest=8 ;;
*) largest=1024 ;;
esac
log=$CARGO_TARGET_DIR/$1.log
cargo +nightly fuzz run --fuzz-dir tests/fuzz "$1" -- -max_total_time="$2" -seed="$3" -max_len=2400000 -timeout=10 \
	-rss_limit_mb=2048 -malloc_limit_mb="$largest" -verbosity=0 -print_final_stats=1 >"$log" 2>&1
status=$?
cat "$log"
exit "$status"
