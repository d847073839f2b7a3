# Sourced: Debian's compiler for Firefox, which also has the sources of the standard library, builds for Windows. rustup has
# no such target without its own servers; compiler and library must be of one version, which security updates move.
#
# The library is built once for each version, into $BLANCHE_WINDOWS_CACHE, outside of the clone: about two minutes.
export PATH="/usr/bin:$PATH"
export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc
unset RUSTUP_TOOLCHAIN RUSTFLAGS
cache=${BLANCHE_WINDOWS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/blanche-windows}
triple=x86_64-pc-windows-gnu
version=$("$RUSTC" --version | tr -c 'A-Za-z0-9.\n' '-')-$(dpkg-query -W -f='${Version}' rust-web-src)
sysroot=$cache/std-$version
if [ ! -e "$sysroot/complete" ]; then
	echo "Building the standard library for Windows: once for $version"
	library=$("$RUSTC" --print sysroot)/lib/rustlib
	rm -rf "$sysroot" "$cache/std-build"
	mkdir -p "$sysroot/lib/rustlib/$triple/lib"
	(
		cd "$cache"
		RUSTC_BOOTSTRAP=1 __CARGO_DEFAULT_LIB_METADATA=debian-windows \
			RUSTFLAGS="-Zforce-unstable-if-unmarked -Cembed-bitcode=yes -Cdebuginfo=0" \
			/usr/bin/cargo build --quiet --locked --release --features backtrace --target "$triple" \
			--manifest-path "$library/src/rust/library/sysroot/Cargo.toml" --target-dir "$cache/std-build"
	)
	cp "$cache/std-build/$triple/release/deps/"*.rlib "$sysroot/lib/rustlib/$triple/lib/"
	rm -rf "$cache/std-build"
	touch "$sysroot/complete"
fi
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS="--sysroot=$sysroot"
# A folder of its own: the other compiler would build everything again and again.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/windows"
