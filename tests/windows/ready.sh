# Sourced, at the top of the checkout: builds blanche-verify.exe and starts a Wine server. Sets WINEPREFIX and BLANCHE_VERIFY_EXE, as
# wine.sh and the tests want them. The server stays until this shell ends: starting one takes seconds, and a program that
# starts while a server is ending finds its lock and nobody who answers. Only one shell at a time has it.
tests/windows/build.sh || return
mapfile -t windows < <(. tests/windows/toolchain.sh; printf '%s\n' "$cache" "$CARGO_TARGET_DIR/$triple/small/blanche-verify.exe")
export WINEPREFIX=${windows[0]}/wine-$(dpkg-query -W -f='${Version}' wine64) BLANCHE_VERIFY_EXE=${windows[1]}
exec 8>"$WINEPREFIX.lock"
flock 8 || return
tests/windows/prefix.sh 8>&- || return
# One that was left by a shell that was killed.
/usr/lib/wine/wineserver64 --kill 2>/dev/null || true
/usr/lib/wine/wineserver64 --persistent 8>&- || return
trap '/usr/lib/wine/wineserver64 --kill || true' EXIT
tests/windows/blanche-verify.sh --version
