# Two commands do everything on a fresh Debian machine with the .NET SDK: `make run` and `make test`.
# The rest are the steps behind them. Nothing here needs more than apt, NuGet and npm.

CONFIGURATION ?= Release
DATA_DIRECTORY ?= $(HOME)/.pipub
RUNTIME ?= linux-x64
ARGS ?=
MINUTES ?= 5
# How tight the image's root is packed: 19 for what is published, 3 where that need not be.
image-tests: ZSTD_LEVEL := $(or $(ZSTD_LEVEL),3)
export NODE VERSION KEYS MIRROR ZSTD_LEVEL BEGIN_BEFORE

DOTNET = DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 dotnet
NODE_PROJECTS := $(patsubst %/package-lock.json,%,$(shell find tests -name node_modules -prune -o -name package-lock.json -print))

.PHONY: run test build publish peers bench fuzz hostile soak image test-image test-image-full image-tests image-figures release-keys format format-check clean
run: out/.libraries
	$(DOTNET) build src/PiPub -c $(CONFIGURATION) -v q
	@exec src/PiPub/bin/$(CONFIGURATION)/net10.0/pipub run --data-directory "$(DATA_DIRECTORY)" $(ARGS)

test: out/.libraries out/.network out/.browser build publish peers
	@CONFIGURATION=$(CONFIGURATION) TRIMMED_EXECUTABLE=$(CURDIR)/out/publish/$(RUNTIME)/pipub tests/run

build: out/.libraries
	$(DOTNET) build PiPub.sln -c $(CONFIGURATION) -v q

# The build that goes into the box: trimmed, self-contained, compiled ahead.
publish: out/.libraries
	rm -rf out/publish/$(RUNTIME)
	$(DOTNET) publish src/PiPub -c Release -r $(RUNTIME) -v q -o out/publish/$(RUNTIME)
	$(DOTNET) run --project tests/Trimming -c Release -- out/publish/$(RUNTIME) src/PiPub/bin/Release/net10.0/$(RUNTIME)

# Real SSB peers from npm, which the tests talk to.
peers: $(addsuffix /node_modules/.package-lock.json,$(NODE_PROJECTS))

%/node_modules/.package-lock.json: %/package-lock.json out/.node
	cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

bench: out/.browser out/.strace publish build peers
	TESTED_EXECUTABLE=$(CURDIR)/out/publish/$(RUNTIME)/pipub tests/loopback tests/Benchmarks/bin/$(CONFIGURATION)/net10.0/Benchmarks $(ARGS)

# The image of a board, rpi or pc, with the published node (or NODE=none); image/README.md. PUBLISHED=1: with the one that is published already.
BOARD ?= rpi
image: RUNTIME = $(if $(filter pc,$(BOARD)),linux-x64,linux-arm64)
image: $(if $(NODE),,out/.libraries)
	$(if $(NODE),,@image/steps/packs $(RUNTIME))
	$(if $(NODE)$(PUBLISHED),,@$(MAKE) publish RUNTIME=$(RUNTIME))
	image/build $(BOARD)

# The image of PCs: its userland as a container, and the whole in an emulator. test-image-full does all there is in the emulator, pulls the
# plug of the emulated box too, and starts the image of the Raspberry Pi. Both want a machine with nothing else to do. Where containers
# cannot be, they say so in a line that counts as skipped. PARTS: other parts than these (tests/Image/run).
test-image: PARTS ?= native cuts machine:refusals,reset
test-image:
	@! tests/Image/possible || $(MAKE) image-tests PARTS="$(PARTS)"

test-image-full: PARTS ?= native cuts machine cuts:machine arm64 rpi gpio
test-image-full:
	@! tests/Image/possible || $(MAKE) image-tests PARTS="$(PARTS)" FULL=1

image-tests: out/.image-tests build peers out/.browser
	$(MAKE) image BOARD=pc NODE= ZSTD_LEVEL=$(ZSTD_LEVEL)
	$(if $(FULL),if image/steps/packs linux-arm64; then $(MAKE) image BOARD=rpi NODE=; else NODE=none image/build rpi; fi)
	$(if $(FULL),NODE= KERNEL=trixie-backports WORK=out/image/pc-gpio VERSION=0.0.1-gpio image/build pc)
	tests/Image/run $(PARTS)

# The figures of image/README.md, of the image of PCs that is there. IDLE_MINUTES (60): how long the idle box is watched.
image-figures: out/.image-tests
	tests/loopback tests/Image/figures.py out/image/pc $(ARGS)

# The keys of whoever publishes images, in KEYS (default ~/.pipub-release).
release-keys:
	image/release-keys

# Hostile peers and failing disks against the real program; wants a machine with nothing else to do.
hostile: out/.libraries out/.network build peers
	@CONFIGURATION=$(CONFIGURATION) tests/run tests/Hostile/Hostile.csproj

# Mixed traffic at many times the real rate, for MINUTES (20, when nothing is said): fails when what the box takes grows.
soak: out/.libraries build
	tests/loopback tests/Soak/bin/$(CONFIGURATION)/net10.0/Soak $(if $(filter file,$(origin MINUTES)),20,$(MINUTES))

# Mangled input for everything that reads what strangers wrote, one core, MINUTES in all; what it learns stays in tests/Fuzz/Corpus.
fuzz: out/.libraries
	$(DOTNET) build tests/Fuzz -c Release -v q
	rm -rf out/fuzz && $(DOTNET) tests/Fuzz/bin/Release/net10.0/Fuzz.dll instrument out/fuzz
	nice -n 15 env $(DOTNET) out/fuzz/Fuzz.dll run minutes=$(MINUTES) $(ARGS)

format:
	$(DOTNET) format PiPub.sln

format-check:
	$(DOTNET) format PiPub.sln --verify-no-changes

clean:
	rm -rf out
	find src tests \( -name bin -o -name obj -o -name node_modules \) -prune -exec rm -rf {} +

out/.libraries:
	tests/need libsodium.so.23:libsodium23 libsqlite3.so.0:libsqlite3-0 libavahi-client.so.3:libavahi-client3 libnatpmp.so.1:libnatpmp1 \
		'libminiupnpc.so.18|libminiupnpc.so.17:libminiupnpc18|libminiupnpc17'
	@mkdir -p out && touch $@

# What the networks of tests/Network are made of.
out/.network:
	tests/need ip:iproute2 nft:nftables miniupnpd:miniupnpd natpmpc:natpmpc avahi-daemon:avahi-daemon avahi-browse:avahi-utils dbus-daemon:dbus-daemon curl:curl
	@mkdir -p out && touch $@

# What the pages are looked at with by tests/Browser.
out/.browser:
	tests/need chromium:chromium certutil:libnss3-tools
	@mkdir -p out && touch $@

# What images are started with.
out/.image-tests: tests/Image/tools
	tests/need mmdebstrap:mmdebstrap unshare:util-linux ip:iproute2 curl:curl python3:python3-minimal ssh:openssh-client ps:procps
	image/steps/tools out/image/test-tools $$(sed 's/\#.*//' tests/Image/tools)
	@touch $@

# What the bench counts flushes with.
out/.strace:
	tests/need strace:strace
	@mkdir -p out && touch $@

out/.node:
	tests/need node:nodejs npm:npm unshare:util-linux ip:iproute2
	@mkdir -p out && touch $@
