#!/bin/bash
# Small real media for the fuzzer to begin with: each filesystem bare, with files, and in each kind of table.
set -euo pipefail
cd "$(dirname "$0")"
export MTOOLS_SKIP_CHECK=1 LC_ALL=C.UTF-8 PATH="$PATH:/usr/sbin:/sbin"
seeds=corpus/medium
mkdir -p "$seeds" corpus/messages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'un fichier\n' > "$work/Un nom assez long.txt"
head -c 5000 /dev/zero > "$work/zeros.bin"

fat() { # name, kilobytes, FAT bits
    truncate -s "${2}K" "$seeds/$1"
    mkfs.vfat --invariant -F "$3" -s 1 "$seeds/$1" > "$work/log"
    mmd -i "$seeds/$1" ::/dossier
    mcopy -Q -i "$seeds/$1" "$work/Un nom assez long.txt" "$work/zeros.bin" ::/dossier/
}
fat fat12.img 64 12
# As few clusters as each kind may have.
fat fat16.img 2200 16
truncate -s 1M "$seeds/exfat.img"
mkfs.exfat -c 4K -b 4K "$seeds/exfat.img" > "$work/log"

table() { # name, sfdisk script
    truncate -s 256K "$seeds/$1"
    sfdisk --quiet --no-reread --no-tell-kernel "$seeds/$1" <<< "$2" > "$work/log"
    dd if="$seeds/fat12.img" of="$seeds/$1" bs=512 seek=64 conv=notrunc,sparse status=none
}
table mbr.img $'label: dos\nstart=64, size=128, type=1'
table logical.img $'label: dos\nstart=32, size=400, type=5\nstart=64, size=128, type=1'
table gpt.img $'label: gpt\nfirst-lba: 34\nstart=64, size=128'
ls -s "$seeds"
