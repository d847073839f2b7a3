# Sourced, at the top of the checkout: builds blanche-verify.exe and starts a Wine server. Sets WINEPREFIX and BLANCHE_VERIFY_EXE, as
# wine.sh and the tests want them. The server stays until this shell ends: starting one takes seconds, and a program that
# starts while a server is ending finds its lock and nobody who answers.
tests/windows/build.sh || return
mapfile -t windows < <(. tests/windows/toolchain.sh; printf '%s\n' "$cache" "$CARGO_TARGET_DIR/$triple/small/blanche-verify.exe")
export WINEPREFIX=${windows[0]}/wine-$(dpkg-query -W -f='${Version}' wine64) BLANCHE_VERIFY_EXE=${windows[1]}
tests/windows/prefix.sh || return
/usr/lib/wine/wineserver64 --persistent || return
trap '/usr/lib/wine/wineserver64 --kill || true' EXIT
tests/windows/blanche-verify.sh --version
