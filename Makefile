# Thin: every target says what it does; cargo and tests/ do the work. `make` alone prints this list.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help deps deps-demo deps-test toolchain build verifier windows demo test test-tag test-evil test-journal test-verifier test-windows test-kiosk kiosk-pictures kiosk-pace e2e bench \
	false-positives fuzz soak deny

export CARGO_TARGET_DIR ?= $(CURDIR)/target
# rustup puts cargo here; a login shell has it in PATH, cron and CI often do not.
export PATH := $(PATH):$(HOME)/.cargo/bin

# GTK for the kiosk, and what draws its pictures; `cargo build` alone leaves the kiosk out and needs none of them.
KIOSK_PACKAGES := fonts-dejavu-core libgtk-4-dev librsvg2-common
# A C compiler; libclamav for the matcher, SQLite for known results, libudev for the station; nothing else is linked.
BUILD_PACKAGES := gcc libc6-dev pkg-config libclamav-dev libsqlite3-dev libudev-dev $(KIOSK_PACKAGES)
# Formatting and filling a FAT image; a bus for the kiosk's window.
DEMO_PACKAGES := dbus-daemon dosfstools mtools zip
# The second verifier of the tag: its libraries come from PyPI (tests/tag/requirements.txt).
TAG_PACKAGES := dosfstools mtools python3 python3-venv
# The attacks on the tag: media with every filesystem that carries one, and their drivers.
EVIL_PACKAGES := $(TAG_PACKAGES) exfat-fuse exfatprogs fdisk fuse3 genisoimage mount ntfs-3g
# A compiler for Windows with the sources of its standard library, and Wine (tests/windows).
WINDOWS_PACKAGES := binutils-mingw-w64-x86-64 cargo-web gcc-mingw-w64-x86-64-win32 rust-web-src rustc-web
WINE_PACKAGES := $(WINDOWS_PACKAGES) wine64
# A display without a screen for the kiosk, with keyboard, accessibility bus, voice and a clock that can be set.
KIOSK_TEST_PACKAGES := adwaita-icon-theme at-spi2-core dbus espeak-ng-data faketime fonts-dejavu-core gettext grim speech-dispatcher \
	speech-dispatcher-espeak-ng sway wtype zenity
# Other people's programs that make the media and containers of the tests, or check what we made.
TEST_PACKAGES := $(DEMO_PACKAGES) $(EVIL_PACKAGES) $(KIOSK_TEST_PACKAGES) arj attr binutils brotli busybox-static bzip2 clamav clamav-testfiles dbus e2fsprogs \
	file gcab gpg gpg-agent gpgconf libarchive-tools libumockdev-dev lrzip lz4 lzip lzop ncompress \
	openssl p7zip-full procps qemu-utils softhsm2 squashfs-tools strace systemd udev udftools umockdev unzip util-linux wimtools wixl xorriso xz-utils \
	zpaq zstd

# A machine with its USB devices, and the programs that must not touch a medium there. The rest of its media is as for EVIL_PACKAGES.
E2E_PACKAGES := $(EVIL_PACKAGES) adwaita-icon-theme alsa-utils at-spi2-core binutils btrfs-progs busybox-static cage dbus dbus-user-session \
	diod dmsetup dpkg e2fsprogs espeak-ng-data evemu-tools kmod libpam-systemd lvm2 mdadm qemu-system-x86 speech-dispatcher \
	speech-dispatcher-audio-plugins speech-dispatcher-espeak-ng systemd systemd-sysv udev util-linux xorriso xz-utils zip

# The peers of the benchmark.
BENCH_PACKAGES := b3sum clamav clamav-daemon clamdscan libnbd-bin nbdfuse nbdkit python3 util-linux yara

# GTK asks the crates that both share for more than the engines need, and the engines would be built again for that: the kiosk
# is built and tested beside the rest.
STATION_CRATES := --workspace --exclude blanche-kiosk --exclude blanche-kiosk-tests
KIOSK_CRATES := --package blanche-kiosk --package blanche-kiosk-tests

SEED ?= 1
KILLS ?= 400
INPUTS ?= 10000
IMAGES ?= 3000
SESSIONS ?= 5000
MOMENTS ?= 50
FUZZ_SECONDS ?= 20
FUZZ_SOAK ?= 900
FUZZ_TARGETS ?= tables fat exfat ntfs ext iso udf messages claims manifest envelope revocations descriptors
MEGABYTES ?= 200
ROWS ?= P4,P1,P3,P5,P6,P7,P8,P9,P10,P14,P15

# $(call install,PACKAGES): installs those that are missing; asks nothing, downloads nothing when all are there.
define install
missing=
for package in $(1); do
	dpkg-query -W -f='$${db:Status-Status}' "$$package" 2>/dev/null | grep -qx installed || missing="$$missing $$package"
done
if [ -n "$$missing" ]; then
	sudo=; [ "$$(id -u)" -eq 0 ] || sudo=sudo
	echo "Installing:$$missing"
	$$sudo apt-get update -qq -o DPkg::Lock::Timeout=300
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends $$missing </dev/null >/dev/null
fi
endef

# $(call test-python,FOLDER): the tests of tests/FOLDER, in an environment that is made once for each content of requirements.txt.
# One chain: where the result is caught with ||, bash would go on after a failure.
define test-python
venv="$$CARGO_TARGET_DIR/venv-tag" &&
{ cmp -s tests/tag/requirements.txt "$$venv/requirements.txt" || {
	rm -rf "$$venv" && python3 -m venv "$$venv" &&
	"$$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/tag/requirements.txt &&
	cp tests/tag/requirements.txt "$$venv/"
} } &&
PYTHONDONTWRITEBYTECODE=1 "$$venv/bin/python" tests/$(1)/run.py
endef

help: ## Print this list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24

toolchain: ## Check that a Rust toolchain is there, and say how to get one
	@command -v cargo >/dev/null || {
		echo "No Rust toolchain. Install one as your own user with rustup (https://rustup.rs):"
		echo "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- --default-toolchain none"
		echo "Then open a new shell; the version in rust-toolchain.toml comes by itself."
		exit 1
	}

deps: toolchain ## Install what building needs
	@$(call install,$(BUILD_PACKAGES))

deps-demo: deps ## Install what the demonstration needs as well
	@$(call install,$(DEMO_PACKAGES))

deps-test: deps ## Install what the tests need as well
	@$(call install,$(TEST_PACKAGES) $(WINE_PACKAGES))

build: deps ## Build all programs into target/release
	@cargo build --release $(STATION_CRATES) --locked
	cargo build --release $(KIOSK_CRATES) --locked

verifier: deps ## Build blanche-verify for Linux as one small static program
	@tests/verifier.sh

windows: toolchain ## Build blanche-verify.exe
	@$(call install,$(WINDOWS_PACKAGES))
	tests/windows/build.sh

demo: deps-demo build ## Make two real USB-key images, scan both, show both verdicts; the kiosk in a window where there is a display
	@tests/demo.sh

test: deps-test build ## Check format and lints, run every test, end with a count
	@cargo fmt --all -- --check
	cargo clippy --release $(STATION_CRATES) --all-targets --locked -- -D warnings
	cargo clippy --release $(KIOSK_CRATES) --all-targets --locked -- -D warnings
	status=0
	( $(call test-python,tag) ) 2>&1 | tee "$$CARGO_TARGET_DIR/test-tag.log" || status=$$?
	( . tests/windows/ready.sh && $(call test-python,evil) ) 2>&1 | tee "$$CARGO_TARGET_DIR/test-evil.log" || status=$$?
	( $(call test-python,journal) ) 2>&1 | tee "$$CARGO_TARGET_DIR/test-journal.log" || status=$$?
	cargo test --release $(STATION_CRATES) --locked --no-fail-fast 2>&1 | tee "$$CARGO_TARGET_DIR/test.log" || status=$$?
	cargo test --release $(KIOSK_CRATES) --locked --no-fail-fast 2>&1 | tee "$$CARGO_TARGET_DIR/test-kiosk.log" || status=$$?
	tests/verifier.sh test 2>&1 | tee "$$CARGO_TARGET_DIR/test-verifier.log" || status=$$?
	tests/windows/test.sh 2>&1 | tee "$$CARGO_TARGET_DIR/test-windows.log" || status=$$?
	tests/summary.sh "$$CARGO_TARGET_DIR"/test{-tag,-evil,-journal,,-kiosk,-verifier,-windows}.log
	exit $$status

test-tag: ## Run the second verifier of the tag (Python) against the specification's vectors and tags of its own
	@$(call install,$(TAG_PACKAGES))
	status=0
	mkdir -p "$$CARGO_TARGET_DIR"
	( $(call test-python,tag) ) 2>&1 | tee "$$CARGO_TARGET_DIR/test-tag.log" || status=$$?
	tests/summary.sh "$$CARGO_TARGET_DIR/test-tag.log"
	exit $$status

test-evil: build ## Attack the tag of sealed media and ask every verifier: the one for Linux, the one for Windows (Wine), the second one (Python)
	@$(call install,$(EVIL_PACKAGES) $(WINE_PACKAGES))
	status=0
	( . tests/windows/ready.sh && $(call test-python,evil) ) 2>&1 | tee "$$CARGO_TARGET_DIR/test-evil.log" || status=$$?
	tests/summary.sh "$$CARGO_TARGET_DIR/test-evil.log"
	exit $$status

test-journal: build ## Record, alter and forge journals and ask both verifiers; BLANCHE_SEED=1 for the random changes
	@$(call install,$(TAG_PACKAGES))
	status=0
	( $(call test-python,journal) ) 2>&1 | tee "$$CARGO_TARGET_DIR/test-journal.log" || status=$$?
	tests/summary.sh "$$CARGO_TARGET_DIR/test-journal.log"
	exit $$status

test-verifier: deps-test ## Run the tests of the finished verifier on the small static program
	@mkdir -p "$$CARGO_TARGET_DIR"
	status=0
	tests/verifier.sh test 2>&1 | tee "$$CARGO_TARGET_DIR/test-verifier.log" || status=$$?
	tests/summary.sh "$$CARGO_TARGET_DIR/test-verifier.log"
	exit $$status

test-windows: deps-test ## Run the tests of tag and verifier under Wine, and blanche-verify.exe on real media
	@mkdir -p "$$CARGO_TARGET_DIR"
	status=0
	tests/windows/test.sh 2>&1 | tee "$$CARGO_TARGET_DIR/test-windows.log" || status=$$?
	tests/summary.sh "$$CARGO_TARGET_DIR/test-windows.log"
	exit $$status

test-kiosk: deps-test ## Run the tests of the kiosk on a display without a screen
	@mkdir -p "$$CARGO_TARGET_DIR"
	status=0
	cargo test --release $(KIOSK_CRATES) --locked --no-fail-fast 2>&1 | tee "$$CARGO_TARGET_DIR/test-kiosk.log" || status=$$?
	tests/summary.sh "$$CARGO_TARGET_DIR/test-kiosk.log"
	exit $$status

kiosk-pictures: deps-test build ## Take a picture of everything that the kiosk can show, in every mode, into the target folder
	@"$$CARGO_TARGET_DIR/release/kiosk-pictures" "$$CARGO_TARGET_DIR/kiosk"

kiosk-pace: deps-test build ## Measure how smooth the bar of a check is, and what the kiosk costs
	@"$$CARGO_TARGET_DIR/release/kiosk-pace"

e2e: build ## Plug USB devices of every kind into a station in a virtual machine (QEMU; ONLY=CASE for one of them)
	@$(call install,$(E2E_PACKAGES))
	status=0
	"$$CARGO_TARGET_DIR/release/blanche-e2e" $(ONLY:%=--only %) 2>&1 | tee "$$CARGO_TARGET_DIR/e2e.log" || status=$$?
	tests/summary.sh "$$CARGO_TARGET_DIR/e2e.log"
	exit $$status

soak: deps-test build ## Long runs, not in CI: KILLS=400 children killed, SESSIONS=5000 with faults, MOMENTS=50 in the virtual machine, IMAGES=3000, FUZZ_SOAK=900, SEED=1
	@echo "seed $(SEED), $(KILLS) kills, $(SESSIONS) sessions, $(MOMENTS) moments, $(IMAGES) damaged images, 10^6 files per filesystem, each fuzz target for $(FUZZ_SOAK) s"
	BLANCHE_SEED=$(SEED) BLANCHE_KILLS=$(KILLS) cargo test --release $(STATION_CRATES) --locked --test kills -- --nocapture
	BLANCHE_SEED=$(SEED) BLANCHE_INPUTS=$(INPUTS) cargo test --release $(KIOSK_CRATES) --locked --test trials -- --nocapture
	SEED=$(SEED) COUNT=$(IMAGES) cargo test --release $(STATION_CRATES) --locked --test reader -- damaged noise
	FILES=1000000 cargo test --release $(STATION_CRATES) --locked --test reader -- --nocapture --test-threads 1 many_files_on
	GIBIBYTES=4 cargo test --release $(STATION_CRATES) --locked --test bombs far_behind
	BLANCHE_SEED=$(SEED) BLANCHE_SESSIONS=$(SESSIONS) BLANCHE_KILLS=$(KILLS) cargo test --release $(STATION_CRATES) --locked --test daemon -- --nocapture
	$(MAKE) fuzz FUZZ_SECONDS=$(FUZZ_SOAK)
	MOMENTS=$(MOMENTS) SEED=$(SEED) $(MAKE) e2e ONLY="yanks kill-reader kill-matcher kill-sealer kill-signer kill-stationd"

bench: deps-test build ## Time Blanche against clamd and against the tools one after the other: ratios in one run
	@$(call install,$(BENCH_PACKAGES))
	cargo build --release $(STATION_CRATES) --locked --examples
	tests/verifier.sh
	tests/windows/build.sh
	python3 tests/bench/bench.py --programs "$$CARGO_TARGET_DIR/release" --megabytes $(MEGABYTES) --rows $(ROWS)

false-positives: build ## Scan 10 000 and more ordinary files of Debian: no rule may call one malicious, two may be suspicious
	@python3 tests/bench/false_positives.py --programs "$$CARGO_TARGET_DIR/release"

fuzz: deps-test ## FUZZ_SECONDS=20 of coverage-guided fuzzing for each parser of hostile bytes (nightly compiler, cargo-fuzz)
	@command -v cargo-fuzz >/dev/null || { echo "Missing: cargo install --locked cargo-fuzz"; exit 1; }
	cargo metadata --locked --format-version 1 --manifest-path tests/fuzz/Cargo.toml >/dev/null
	tests/fuzz/seeds.sh
	export CARGO_TARGET_DIR="$$CARGO_TARGET_DIR/fuzz"
	cargo +nightly fuzz build --fuzz-dir tests/fuzz
	# One on each processor.
	printf '%s\n' $(FUZZ_TARGETS) | xargs -P "$$(nproc)" -I TARGET tests/fuzz/run.sh TARGET $(FUZZ_SECONDS) $(SEED)

deny: toolchain ## Check licences, sources and duplicates of every program's dependencies
	@command -v cargo-deny >/dev/null || { echo "Missing: cargo install --locked cargo-deny"; exit 1; }
	cargo deny --workspace --all-features --config deny.toml check licenses bans sources
	cargo deny --manifest-path src/engines/Cargo.toml --config deny-matcher.toml check licenses bans sources
