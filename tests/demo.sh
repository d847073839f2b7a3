#!/bin/bash
# Makes two real FAT32 images (clean documents; EICAR in a zip in a subfolder), scans both and shows both verdicts.
# Called by `make demo`, which has built the programs.
set -euo pipefail
cd "$(dirname "$0")/.."
programs=${CARGO_TARGET_DIR:-target}/release
demo=${CARGO_TARGET_DIR:-target}/demo
rm -rf "$demo"
mkdir -p "$demo/clean/Photos" "$demo/infected/Documents/archives"
export MTOOLS_SKIP_CHECK=1 LC_ALL=C.UTF-8

printf 'Compte rendu de la réunion du 22 novembre.\r\n' > "$demo/clean/Compte rendu.txt"
printf 'nom;service\r\nDurand;accueil\r\nÉmile;courrier\r\n' > "$demo/clean/Liste.csv"
printf 'P6 64 64 255 %012288d' 0 > "$demo/clean/Photos/été.ppm"
cp "$demo/clean/Compte rendu.txt" "$demo/infected/Documents/"
# EICAR, the harmless file that every engine finds (eicar.org); in two halves so that this script is not found instead.
printf '%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-' 'STANDARD-ANTIVIRUS-TEST-FILE!$H+H*' > "$demo/eicar.com"
zip -q -X -j "$demo/infected/Documents/archives/facture.zip" "$demo/eicar.com"
rm "$demo/eicar.com"

for key in clean infected; do
    truncate -s 64M "$demo/$key.img"
    mkfs.vfat --invariant -F 32 -s 1 -n "${key^^}" -i b1a2c3d4 "$demo/$key.img" > "$demo/mkfs.log"
    mcopy -s -Q -i "$demo/$key.img" "$demo/$key"/* ::/
    rm -r "${demo:?}/$key"
done

cat > "$demo/blanche.toml" <<TOML
# Blanche's own signatures only. Add "/var/lib/clamav" to use ClamAV's official bases as well.
[bases]
clamav = ["$PWD/signatures/clamav"]
rules = ["$PWD/signatures/rules"]
TOML
chmod go-w "$demo" "$demo/blanche.toml"

scan() {
    local code=0
    echo
    echo "\$ blanche scan $1"
    "$programs/blanche" --config "$demo/blanche.toml" scan "$1" || code=$?
    echo "(exit code $code)"
    [ "$code" -eq "$2" ] || { echo "demo: expected exit code $2 for $1" >&2; exit 1; }
}
scan "$demo/clean.img" 0
scan "$demo/infected.img" 20

cat <<TEXT

To scan your own key, plug it in, do not mount it, find its name with lsblk, and say (sdX being that name):

  sudo $programs/blanche --config $demo/blanche.toml scan /dev/sdX

It is only read. Exit codes: 0 clean, 10 incomplete, 20 infected, 30 refused.
This demonstration knows Blanche's own few signatures only. For real protection fetch ClamAV's official bases
(apt-get install clamav-freshclam) and add "/var/lib/clamav" to the list "clamav" in $demo/blanche.toml.
TEXT
