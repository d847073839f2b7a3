#!/bin/bash
# Makes two real FAT32 images (clean documents; EICAR in a zip in a subfolder), scans both and shows both verdicts. Then it
# seals the clean one with keys of a throw-away authority, verifies it, changes one byte, and shows the refusal.
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

# A throw-away authority and one station, by the steps of docs/keys.md: worth nothing beyond this demonstration.
blanche=$programs/blanche
umask 077
mkdir -p "$demo/trust/authorities/demo" "$demo/trust/crls" "$demo/trust/lists" "$demo/tags"
od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$demo/passphrase"
secret=(--passphrase-file "$demo/passphrase")
{
    "$blanche" keys authority --folder "$demo/authority" --name demo "${secret[@]}"
    "$blanche" keys request --folder "$demo/keys" --station demo --site demo "${secret[@]}"
    "$blanche" keys issue --authority "$demo/authority" --station demo --site demo --out "$demo/issued" \
        "$demo/keys/classical.csr" "$demo/keys/post-quantum.csr" "${secret[@]}"
} > "$demo/ceremony.log"
cp "$demo/issued"/*.pem "$demo/keys/"
cp "$demo/authority"/{classical,post-quantum}.pem "$demo/trust/authorities/demo/"
cp "$demo/authority/crls"/* "$demo/trust/crls/"
cp "$demo/authority/lists"/* "$demo/trust/lists/"
# The signatures of this repository are as old as it is; a real station would refuse to seal without ClamAV's "daily".
sed -i 's/fresh_bases = \["daily"\]/fresh_bases = []/' "$demo/keys/signer.toml"
echo 'fresh_bases = []' > "$demo/trust/policy.toml"
umask 022

cat > "$demo/blanche.toml" <<TOML
# Blanche's own signatures only. Add "/var/lib/clamav" to use ClamAV's official bases as well.
[bases]
clamav = ["$PWD/signatures/clamav"]
rules = ["$PWD/signatures/rules"]
required = []
fresh = []

[seal]
keys = "keys"
trust = "trust"
detached = "tags"
TOML
chmod go-w "$demo" "$demo/blanche.toml"

# Only a station's own users seal: a scan as an ordinary user is confined less, and its report says so.
sudo=; [ "$(id -u)" -eq 0 ] || sudo=sudo

# run CODE COMMAND...: shows a command of blanche, runs it, and demands its exit code.
run() {
    local expected=$1 code=0 as=
    shift
    [ "$1 $2" != 'scan --seal' ] || as=$sudo
    echo
    echo "\$ ${as:+$as }blanche $*"
    $as "$blanche" --config "$demo/blanche.toml" "$@" || code=$?
    echo "(exit code $code)"
    [ "$code" -eq "$expected" ] || { echo "demo: expected exit code $expected" >&2; exit 1; }
}
run 0 scan "$demo/clean.img"
run 20 scan "$demo/infected.img"

echo
echo "--- Sealing, with a throw-away authority made for this demonstration ($demo/authority) ---"
trusted=(--trust "$demo/trust" --no-memory)
run 0 scan --seal "$demo/clean.img"
run 0 verify "${trusted[@]}" "$demo/clean.img"
echo
echo "One byte of \"Compte rendu.txt\" is changed behind everybody's back:"
offset=$(grep -obUa 'Compte rendu de la' "$demo/clean.img" | head -1 | cut -d: -f1)
printf 'c' | dd of="$demo/clean.img" bs=1 seek="$offset" conv=notrunc status=none
run 42 verify "${trusted[@]}" "$demo/clean.img" | tee "$demo/refusal"
grep -q 'Compte rendu.txt' "$demo/refusal" || { echo "demo: the changed file was not named" >&2; exit 1; }

cat <<TEXT

To scan your own key, plug it in, do not mount it, find its name with lsblk, and say (sdX being that name):

  sudo $blanche --config $demo/blanche.toml scan /dev/sdX

It is only read; with --seal a clean one gets a tag. Exit codes: 0 clean, 10 incomplete, 20 infected, 30 refused.
This demonstration knows Blanche's own few signatures only. For real protection fetch ClamAV's official bases
(apt-get install clamav-freshclam), add "/var/lib/clamav" to the list "clamav" in $demo/blanche.toml,
and take out "required" and "fresh" there, and "fresh_bases" in keys/signer.toml and trust/policy.toml.
TEXT

# A screen to look at: the kiosk in a window, on a bus of its own, with a training station behind it.
[ -n "${WAYLAND_DISPLAY:-}${DISPLAY:-}" ] || exit 0
echo
echo "--- The kiosk, in a window: media are made up: plug them in with the button "Entraînement" (Training). Close the window to end. ---"
dbus-run-session -- bash -c '
    "$1/blanche-stationd" --simulate --bases "$2" --bus session 2>"$3" &
    trap "kill $! 2>/dev/null; wait" EXIT
    "$1/blanche-kiosk" --bus session --windowed
' demo "$programs" "$PWD/signatures" "$demo/station.log"
