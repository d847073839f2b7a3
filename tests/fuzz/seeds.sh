#!/bin/bash
# Small real media for the fuzzer to begin with: a folder of seeds for each target, each filesystem bare and with files.
set -euo pipefail
cd "$(dirname "$0")"
export MTOOLS_SKIP_CHECK=1 LC_ALL=C.UTF-8 PATH="$PATH:/usr/sbin:/sbin"
for target in tables fat exfat ntfs ext iso udf messages claims manifest envelope revocations descriptors; do mkdir -p "corpus/$target"; done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/files/dossier"
printf 'un fichier\n' > "$work/files/dossier/Un nom assez long.txt"
head -c 5000 /dev/zero > "$work/files/dossier/zeros.bin"
ln -s zeros.bin "$work/files/dossier/lien"
seq 900 > "$work/files/nombres.txt"

fat() { # name, kilobytes, FAT bits
    local seed="corpus/fat/$1"
    truncate -s "${2}K" "$seed"
    mkfs.vfat --invariant -F "$3" -s 1 "$seed" > "$work/log"
    mmd -i "$seed" ::/dossier
    mcopy -Q -i "$seed" "$work/files/dossier/"{"Un nom assez long.txt",zeros.bin} ::/dossier/
}
fat fat12.img 64 12
# As few clusters as this kind may have.
fat fat16.img 2200 16

truncate -s 1M corpus/exfat/bare.img
mkfs.exfat -c 4K -b 4K corpus/exfat/bare.img > "$work/log"

truncate -s 1300K corpus/ntfs/bare.img
mkntfs --quick --force --quiet --cluster-size 512 corpus/ntfs/bare.img > "$work/log" 2>&1
cp corpus/ntfs/bare.img corpus/ntfs/file.img
ntfscp --force corpus/ntfs/file.img "$work/files/nombres.txt" nombres.txt > "$work/log" 2>&1
ntfscp --force --attr-name flux corpus/ntfs/file.img "$work/files/nombres.txt" nombres.txt > "$work/log" 2>&1

ext() { # name, options of mke2fs
    truncate -s 512K "corpus/ext/$1"
    mke2fs -q -F -b 1024 -d "$work/files" "${@:2}" "corpus/ext/$1"
}
ext ext2.img -t ext2
ext htree.img -t ext2 -O dir_index
ext ext4.img -t ext4 -O ^has_journal,inline_data,64bit,metadata_csum

xorriso -as mkisofs -quiet -J -r -o corpus/iso/both.iso "$work/files" 2> "$work/log"
genisoimage -quiet -o corpus/iso/plain.iso "$work/files" 2> "$work/log"
genisoimage -quiet -udf -J -R -o corpus/udf/bridge.iso "$work/files" 2> "$work/log"
truncate -s 1M corpus/udf/bare.img
mkudffs --utf8 --blocksize=512 --media-type=hd corpus/udf/bare.img > "$work/log" 2>&1

table() { # name, sfdisk script
    truncate -s 256K "corpus/tables/$1"
    sfdisk --quiet --no-reread --no-tell-kernel "corpus/tables/$1" <<< "$2" > "$work/log"
    dd if=corpus/fat/fat12.img of="corpus/tables/$1" bs=512 seek=64 conv=notrunc,sparse status=none
}
table mbr.img $'label: dos\nstart=64, size=128, type=1'
table logical.img $'label: dos\nstart=32, size=400, type=5\nstart=64, size=128, type=1'
table gpt.img $'label: gpt\nfirst-lba: 34\nstart=64, size=128'
# USB descriptors: one device, then a key (Bulk-Only and UAS), a key that is a keyboard as well, a modem with an association.
usb() { # name, interfaces, bytes of the configuration
    local bytes=${3// /} device='12 01 00 03 00 00 00 09 51 09 66 16 10 01 01 02 03 01' total
    total=$(printf '%02x00' $((9 + ${#bytes} / 2)))
    python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' \
        "$device 0902${total}${2}01008032 $bytes" > "corpus/descriptors/$1"
}
usb key 01 '09 04 00 00 02 08 06 50 00  07 05 81 02 00 04 00  07 05 02 02 00 04 00  09 04 00 01 00 08 06 62 00'
usb keyboard 02 '09 04 00 00 00 08 06 50 00  09 04 01 00 01 03 01 01 00  09 21 11 01 00 01 22 3f 00  07 05 83 03 08 00 0a'
usb modem 02 '08 0b 00 02 02 02 01 00  09 04 00 00 00 02 02 01 00  05 24 00 10 01  09 04 01 00 00 0a 00 00 00'
# The parts of the tags in the vectors.
python3 seeds.py ../../docs/tag-vectors corpus
for folder in corpus/*/; do
    echo "$folder: $(find "$folder" -type f | wc -l) seeds, $(du -sk "$folder" | cut -f1) KiB"
done
