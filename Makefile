# Runnel: `make help` lists what this file does.
#
# Sources are found by folder: a new .c file in kernel/, drivers/, net/,
# libc-shim/ or apps/<app>/ is built without a change here, and a new
# tests/unit/test_*.c becomes a test program.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
# What is done is said in a word; V=1 shows the commands.
ifndef V
.SILENT:
endif
.SECONDARY:

CC      := gcc
CLANG   := clang
PYTHON  := /usr/bin/python3
JOBS    := $(shell nproc)
BUILD   := build
NEWLIB  := $(BUILD)/newlib/x86_64-elf

# The image is optimised as a whole, which takes a while after every edit:
# LTO=0 leaves that out, in a folder of its own.
LTO_FLAGS := -flto=auto -fno-fat-lto-objects
ifeq ($(LTO),0)
LTO_FLAGS :=
BUILD     := build/quick
else ifneq ($(filter-out 1,$(LTO)),)
$(error LTO=$(LTO): 0, or 1 as without it)
endif

# --- what is built ---------------------------------------------------------

# A space in a path makes two of it, for make and for newlib's build.
ifneq ($(words $(CURDIR)),1)
$(error $(CURDIR): put the tree where no folder has a space in its name)
endif
APPS := $(notdir $(patsubst %/,%,$(wildcard apps/*/)))
ifdef APP
ifneq ($(words $(APP)),1)
$(error APP=$(APP): a path with a space in it cannot be built)
endif
ifeq ($(wildcard $(APP)/*.c),)
$(error APP=$(APP): there is no such folder, or no C file in it)
endif
# An application outside the tree: make APP=/path/to/dir
# Its C files are compiled with APP_FLAGS after the image's own.
APP_FLAGS ?= -Wall -Wextra
APP_DIR  := $(abspath $(APP))
APP_NAME := $(notdir $(APP_DIR))
IMAGES   := $(APP_NAME)
ifneq ($(filter $(APP_NAME),$(APPS)),)
ifneq ($(APP_DIR),$(CURDIR)/apps/$(APP_NAME))
$(error APP=$(APP): apps/$(APP_NAME) has that name; call the folder otherwise)
endif
endif
# Of two folders of one name the objects must not be taken for each other's,
# nor those of other flags.
APP_KIND := $(APP_DIR) $(APP_FLAGS)
$(shell mkdir -p $(BUILD)/guest/app/$(APP_NAME) && \
    cd $(BUILD)/guest/app/$(APP_NAME) && \
    [ "$$(cat .folder 2>/dev/null)" = '$(APP_KIND)' ] || \
    { rm -f ./*.[od] ../../../$(APP_NAME).elf* ../../../$(APP_NAME).iso; \
      echo '$(APP_KIND)' >.folder; })
else
ifdef APP_NAME
ifeq ($(filter $(APP_NAME),$(APPS)),)
$(error APP_NAME=$(APP_NAME): there are $(APPS); another folder: APP=/its/path)
endif
endif
IMAGES   := $(APPS)
endif

PARTS      := boot kernel drivers net libc-shim
GUEST_SRC  := $(wildcard $(addsuffix /*.c,$(PARTS)) $(addsuffix /*.S,$(PARTS)))
GUEST_OBJ  := $(patsubst %,$(BUILD)/guest/%.o,$(GUEST_SRC))

# What of kernel/ runs on the host too, for the tests.
KERNEL_HOST_SRC := $(wildcard kernel/thread.c kernel/switch.S \
                              kernel/deadline.c kernel/format.c \
                              kernel/cmdline.c kernel/log_levels.c)
NET_SRC         := $(wildcard net/*.c)
# What of drivers/ is pure memory, tested with the test as the device.
DRIVER_HOST_SRC := $(wildcard drivers/virt*.c drivers/pci.c)
# What of boot/ is: the parsers of what a boot loader leaves.
BOOT_HOST_SRC   := $(wildcard boot/boot_info.c boot/multiboot1.c \
                              boot/multiboot2.c boot/pvh.c boot/memory_map.c \
                              boot/config.c)
# What of the applications is: all that does not ask the machine itself.
APP_HOST_SRC    := $(addprefix apps/http_hello/,http.c http_fields.c \
                               http_lines.c http_memo.c http_serve.c pages.c \
                               response.c) \
                   apps/fetch/url.c
# What of libc-shim/ is: all that is not libc's own name.
LIBC_HOST_SRC   := libc-shim/heap.c
HOST_SUPPORT    := $(wildcard tests/host/*.c)

# --- flags -----------------------------------------------------------------

WARN := -Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow \
        -Wstrict-prototypes -Wmissing-prototypes -Werror

GCC_INCLUDE := $(shell $(CC) -print-file-name=include 2>/dev/null)
SYSINCLUDE  := $(BUILD)/sysinclude

# Freestanding, but memcpy() and its kin are the compiler's to expand; log is
# our word for something else. Two words side by side are stored as such: to
# join them in a vector register first, for one store, takes longer.
GUEST_FLAGS := -std=gnu11 -O2 -g -ffreestanding -fbuiltin -fno-builtin-log \
    -fno-tree-slp-vectorize $(LTO_FLAGS) -fno-pic -fno-pie \
    -mno-red-zone -mcmodel=small -fno-omit-frame-pointer \
    -fno-asynchronous-unwind-tables -fstack-protector-strong \
    -fstack-clash-protection \
    -fcf-protection=none -fno-common -ffunction-sections -fdata-sections \
    -fno-align-jumps -fno-align-loops -fno-align-labels \
    -fno-align-functions \
    -nostdinc -isystem $(GCC_INCLUDE) -isystem $(NEWLIB)/include \
    -idirafter $(SYSINCLUDE) -I. \
    -D_POSIX_TIMERS=200809L -D_POSIX_MONOTONIC_CLOCK=200809L
GUEST_LINK  := -nostdlib -static -no-pie -T linker.ld \
    -Wl,-z,max-page-size=64 -Wl,-z,noexecstack -Wl,--build-id \
    -Wl,--gc-sections -Wl,--no-warn-rwx-segments
GUEST_LIBS  := -L$(NEWLIB)/lib -Wl,--start-group -lc -lm -lgcc \
    /usr/lib/x86_64-linux-gnu/libbearssl.a -Wl,--end-group

HOST_FLAGS  := -std=gnu11 -g -I. -fno-omit-frame-pointer \
    -idirafter /usr/share/include
SANITIZE    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all

# --- main targets ----------------------------------------------------------

.PHONY: all run debug test check unit bench microbench bench-compare profile \
        soak fuzz sim worlds golden golden-check clean help \
        packages-build packages packages-bench
all: packages-build
	@$(MAKE) --no-print-directory -j$(JOBS) images

help:
	@sed -n 's/^## //p' Makefile

## make                    build build/<app>.elf and .iso for every apps/<app>
## make APP=/path/to/dir   build an application from outside the tree, with
##                         APP_FLAGS="-Wall -Wextra" for the compiler
##     ... LTO=0           into build/quick/, optimised file by file: to try
##                         an edit takes a second (make run LTO=0)
## make run                boot http_hello in QEMU. PORT=8080 APP_NAME=echo
##                         or APP=/path/to/dir RUN_PORT=its-port (80;
##                         empty when it serves nobody)
##                         ACCEL=auto|kvm|tcg MEM=64 ARGS=--help
## make test               every test that fits 20 minutes, quick ones first
## make check              layers, format, headers, globals
## make unit               the host tests, both compilers, sanitizers
## make conformance        each requirement of the RFCs has its tests
## make mutate             each rule broken once: its test must go red
## make sim SEEDS=2000     hosts, a bad network, virtual time, all rules on
## make worlds DEPTH=7     every interleaving of a small world
## make golden             measure the tables of tests/sim/golden/ anew;
##                         golden-check: are they as committed?
## make debug              QEMU waits, with TCG; gdb starts with symbols;
##                         the other settings as run
## make bench              figures beside Linux guests, kept in build/bench/;
##                         QUICK=1: five minutes; ONLY="boot idle": some
## make microbench         instructions of small pieces of the host build
## make bench-compare      the same, held against tests/bench/micro.baseline
## make profile            where instructions go; ONLY="bulk-in": one load
## make differential       the same packets at our TCP and at Linux's
## make goodput            our TCP beside Linux's over a bad wire, real time
## make soak               the long tests, hours of them
## make fuzz MINUTES=10    each fuzzer for so long
## make clean              remove build/, except newlib
# What is missing of packages.txt.
packages-build:
	@scripts/packages.sh build
packages:
	@scripts/packages.sh build test
packages-bench:
	@scripts/packages.sh build test bench

.PHONY: images
images: $(foreach app,$(IMAGES),$(BUILD)/$(app).elf $(BUILD)/$(app).iso)

# --- newlib and system headers --------------------------------------------

$(NEWLIB)/.built: scripts/newlib.sh
	scripts/newlib.sh $(NEWLIB:/newlib/x86_64-elf=)

# The few headers of Debian packages that guest code may see, and no others.
$(SYSINCLUDE)/.made: Makefile
	@mkdir -p $(SYSINCLUDE)
	@ln -sfn /usr/include/linux $(SYSINCLUDE)/linux
	@ln -sfn /usr/include/asm-generic $(SYSINCLUDE)/asm-generic
	@ln -sfn /usr/include/x86_64-linux-gnu/asm $(SYSINCLUDE)/asm
	@ln -sfn /usr/share/include/llhttp $(SYSINCLUDE)/llhttp
	@ln -sfn /usr/include/bearssl.h $(SYSINCLUDE)/bearssl.h
	@ln -sfn /usr/include/bearssl $(SYSINCLUDE)/bearssl
	@touch $@

# --- guest objects and images ----------------------------------------------

GUEST_READY := $(NEWLIB)/.built $(SYSINCLUDE)/.made

# With other flags it is another object, so the Makefile is a source too.
$(BUILD)/guest/%.c.o: %.c Makefile | $(GUEST_READY)
	@mkdir -p $(@D)
	$(info CC   $@)
	$(CC) $(GUEST_FLAGS) $(WARN) -MMD -MP -c $< -o $@

$(BUILD)/guest/%.S.o: %.S | $(GUEST_READY)
	@mkdir -p $(@D)
	$(info CC   $@)
	$(CC) $(GUEST_FLAGS) -MMD -MP -c $< -o $@

# Interrupt handlers run on a stack of their own and must not touch SSE state.
$(BUILD)/guest/kernel/interrupt.c.o: GUEST_FLAGS += -mgeneral-regs-only
$(BUILD)/guest/drivers/%.c.o: GUEST_FLAGS += -mgeneral-regs-only
# newlib calls it, and is not there when the rest is optimised as a whole.
$(BUILD)/guest/libc-shim/%.c.o: GUEST_FLAGS += -fno-lto

# What runs now and then, or is no slower for it, is built small, so that the
# rest stays in the cache.
COLD := $(wildcard boot/*.c \
                   drivers/pci*.c drivers/probe.c drivers/serial.c \
                   drivers/virtio.c drivers/virtio_net_ctrl.c \
                   drivers/virtio_net_setup.c drivers/virtio_net_watch.c \
                   drivers/virtio_off.c drivers/virtio_pci*.c \
                   drivers/virtio_rng.c \
                   kernel/acpi.c kernel/clock.c kernel/cmdline.c \
                   kernel/deadline.c kernel/descriptor.c kernel/format.c \
                   kernel/interrupt.c kernel/ioapic.c kernel/kvmclock.c \
                   kernel/lapic.c kernel/log*.c kernel/machine.c \
                   kernel/paging.c kernel/panic.c kernel/power.c \
                   kernel/random.c kernel/rtc.c kernel/stack.c \
                   kernel/symbols.c kernel/thread.c \
                   libc-shim/*.c \
                   net/acd.c net/addr.c net/arp.c net/arp_cache.c \
                   net/arp_waiting.c net/arp_wire.c net/dhcp*.c net/dns*.c \
                   net/flow_error.c net/flow_input.c net/flow_listen.c \
                   net/flow_open.c net/flow_option.c net/icmp.c \
                   net/interface.c net/ipv4_fragment.c net/ipv4_reass.c \
                   net/path.c net/ping.c net/route.c net/stack_ping.c \
                   net/tcp_ack.c net/tcp_address.c net/tcp_again.c \
                   net/tcp_buffers.c net/tcp_cc.c net/tcp_cookie.c \
                   net/tcp_cubic.c net/tcp_ecn.c net/tcp_hystart.c \
                   net/tcp_icmp.c net/tcp_in.c net/tcp_info.c net/tcp_loss.c \
                   net/tcp_newreno.c net/tcp_option.c net/tcp_path.c \
                   net/tcp_pressure.c net/tcp_probe.c net/tcp_prr.c \
                   net/tcp_rack.c net/tcp_reass.c net/tcp_reset.c \
                   net/tcp_sack.c net/tcp_timer.c net/tcp_urgent.c \
                   net/tcp_view.c net/tcp_wire.c net/udp.c net/udp_flow.c \
                   net/udp_socket.c net/view.c)
$(patsubst %,$(BUILD)/guest/%.o,$(COLD)): GUEST_FLAGS += -Os
$(patsubst %,$(BUILD)/guest/app/http_hello/%.o,facts http_fields http_lines \
                                                main pages response): \
    GUEST_FLAGS += -Os

# llhttp as Debian ships it, in its strict variant; its warnings are not ours
# to mend.
LLHTTP_FLAGS := -w -DLLHTTP_STRICT_MODE=1 -I/usr/share/include/llhttp
# Its state machine is switches and loops over single bytes: jump tables from
# four cases on, and loops as they are written, do less for each.
LLHTTP_TUNE := -fno-ivopts -fno-tree-ch --param case-values-threshold=4
LLHTTP_OBJ := $(patsubst %,$(BUILD)/guest/llhttp/%.o,api http llhttp)
$(BUILD)/guest/llhttp/%.o: /usr/share/llhttp/%.c Makefile | $(GUEST_READY)
	@mkdir -p $(@D)
	$(info CC   $@)
	$(CC) $(GUEST_FLAGS) $(LLHTTP_TUNE) $(LLHTTP_FLAGS) -c $< -o $@

$(BUILD)/libllhttp.a: $(LLHTTP_OBJ)
	@rm -f $@
	ar rcs $@ $^

# 1: application, 2: its folder, 3: flags
define IMAGE_RULES
$(1)_SRC := $$(wildcard $(2)/*.c)
$(1)_OBJ := $$(patsubst $(2)/%.c,$(BUILD)/guest/app/$(1)/%.o,$$($(1)_SRC))
$(BUILD)/guest/app/$(1)/%.o: $(2)/%.c Makefile | $(GUEST_READY)
	@mkdir -p $$(@D)
	$$(info CC   $$@)
	$$(CC) $$(GUEST_FLAGS) $(3) -I$(dir $(2)) -MMD -MP -c $$< -o $$@
$(BUILD)/$(1).elf: $$($(1)_OBJ) $(GUEST_OBJ) $(BUILD)/libllhttp.a linker.ld \
                   scripts/link.sh scripts/symbols.py
	$$(info LINK $$@)
	CC="$$(CC)" PYTHON="$$(PYTHON)" scripts/link.sh $$@ $(1) \
	    "$$(GUEST_FLAGS)" "$$(GUEST_LINK)" \
	    "$$($(1)_OBJ) $$(GUEST_OBJ)" "$(BUILD)/libllhttp.a $$(GUEST_LIBS)"
$(BUILD)/$(1).iso: $(BUILD)/$(1).elf scripts/iso.sh
	$$(info ISO  $$@)
	scripts/iso.sh $$< $$@
-include $$($(1)_OBJ:.o=.d)
endef
$(foreach app,$(APPS),$(eval $(call IMAGE_RULES,$(app),apps/$(app),$(WARN))))
ifdef APP
ifeq ($(filter $(APP_NAME),$(APPS)),)
$(eval $(call IMAGE_RULES,$(APP_NAME),$(APP_DIR),$(APP_FLAGS)))
endif
endif
-include $(GUEST_OBJ:.o=.d)

# --- host library and unit tests -------------------------------------------
# Three variants: plain (libnet.a for others to link), gcc and clang with
# sanitizers for the tests.

SIM_SRC  := $(wildcard tests/sim/*.c)
MODEL_SRC := $(wildcard tests/model/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c tests/conformance/test_*.c)

# 1: folder, 2: compiler, 3: flags
define HOST_RULES
$(BUILD)/$(1)/obj/%.c.o: %.c
	@mkdir -p $$(@D)
	$$(info CC   $$@)
	$(2) $(HOST_FLAGS) $(3) $(WARN) -MMD -MP -c $$< -o $$@
$(BUILD)/$(1)/obj/llhttp/%.o: /usr/share/llhttp/%.c
	@mkdir -p $$(@D)
	$$(info CC   $$@)
	$(2) $(HOST_FLAGS) $(3) $(LLHTTP_FLAGS) -c $$< -o $$@
$(BUILD)/$(1)/obj/%.S.o: %.S
	@mkdir -p $$(@D)
	$$(info CC   $$@)
	$(2) $(HOST_FLAGS) -c $$< -o $$@
$(BUILD)/$(1)/libnet.a: $(patsubst %,$(BUILD)/$(1)/obj/%.o,$(NET_SRC) \
                        $(KERNEL_HOST_SRC))
	@rm -f $$@
	ar rcs $$@ $$^
$(BUILD)/$(1)/libtest.a: $(patsubst %,$(BUILD)/$(1)/obj/%.o,$(HOST_SUPPORT) \
                         $(DRIVER_HOST_SRC) $(BOOT_HOST_SRC) $(APP_HOST_SRC) \
                         $(LIBC_HOST_SRC)) \
                         $(patsubst %,$(BUILD)/$(1)/obj/llhttp/%.o,api http \
                         llhttp)
	@rm -f $$@
	ar rcs $$@ $$^
$(BUILD)/$(1)/test_%: $(BUILD)/$(1)/obj/tests/unit/test_%.c.o \
                      $(BUILD)/$(1)/libtest.a $(BUILD)/$(1)/libnet.a
	$$(LINK_TEST_$(1))
$(BUILD)/$(1)/test_%: $(BUILD)/$(1)/obj/tests/conformance/test_%.c.o \
                      $(BUILD)/$(1)/libtest.a $(BUILD)/$(1)/libnet.a
	$$(LINK_TEST_$(1))
$(BUILD)/$(1)/sim: $(patsubst %,$(BUILD)/$(1)/obj/%.o,$(SIM_SRC)) \
                   $(BUILD)/$(1)/libtest.a $(BUILD)/$(1)/libnet.a
	$(2) $(3) -o $$@ $$(filter %.o,$$^) -Wl,--start-group \
	    $(BUILD)/$(1)/libtest.a $(BUILD)/$(1)/libnet.a -Wl,--end-group -lm
$(BUILD)/$(1)/world: $(patsubst %,$(BUILD)/$(1)/obj/%.o,$(MODEL_SRC) \
                     $(filter-out %/main.c,$(SIM_SRC))) \
                     $(BUILD)/$(1)/libtest.a $(BUILD)/$(1)/libnet.a
	$(2) $(3) -o $$@ $$(filter %.o,$$^) -Wl,--start-group \
	    $(BUILD)/$(1)/libtest.a $(BUILD)/$(1)/libnet.a -Wl,--end-group -lm
$(addprefix $(BUILD)/$(1)/,test_http_serve test_http_again): \
    $(BUILD)/$(1)/obj/tests/unit/http_flow.c.o
LINK_TEST_$(1) = $(2) $(3) -o $$@ $$(filter %.o,$$^) -Wl,--start-group \
    $(BUILD)/$(1)/libtest.a $(BUILD)/$(1)/libnet.a -Wl,--end-group -lcmocka -lm
-include $$(shell find $(BUILD)/$(1)/obj -name '*.d' 2>/dev/null)
endef
$(eval $(call HOST_RULES,host,$(CC),-O2))
$(eval $(call HOST_RULES,host-gcc,$(CC),$(SANITIZE)))
$(eval $(call HOST_RULES,host-clang,$(CLANG),$(SANITIZE)))
$(eval $(call HOST_RULES,host-fuzz,$(CLANG),$(SANITIZE) \
    -fsanitize=fuzzer-no-link))

UNIT_NAMES := $(basename $(notdir $(UNIT_SRC)))
UNIT_GCC   := $(addprefix $(BUILD)/host-gcc/,$(UNIT_NAMES))
UNIT_CLANG := $(addprefix $(BUILD)/host-clang/,$(UNIT_NAMES))

unit: $(UNIT_GCC) $(UNIT_CLANG)
	scripts/unit.sh $^

# Which requirement of an RFC is shown by which test, and that it has passed in
# the last `make unit`; and that the test sees it when the requirement is
# broken.
.PHONY: conformance mutate
conformance:
	$(PYTHON) -B tests/conformance/check.py

mutate: $(UNIT_GCC)
	$(PYTHON) -B tests/conformance/mutate.py $(ONLY)

# --- checks and tests ------------------------------------------------------

PYTEST := $(PYTHON) -B -m pytest -p no:cacheprovider

check: packages
	$(PYTHON) -B tests/static/check.py
	$(PYTEST) -q tests/static

# The quick ones first; what is broken is seen early.
test: packages
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory -j$(JOBS) unit
	@$(MAKE) --no-print-directory conformance
	@$(MAKE) --no-print-directory -j$(JOBS) fuzz MINUTES=0
	@$(MAKE) --no-print-directory -j$(JOBS) sim
	@$(MAKE) --no-print-directory -j$(JOBS) worlds
	@$(MAKE) --no-print-directory -j$(JOBS) golden-check
	@$(MAKE) --no-print-directory -j$(JOBS) differential
	@$(MAKE) --no-print-directory -j$(JOBS) images
	$(PYTEST) -rs tests/qemu

soak: packages
	@$(MAKE) --no-print-directory -j$(JOBS) images \
	    $(BUILD)/host-gcc/test_flood
	FRAMES=1000000 $(BUILD)/host-gcc/test_flood
	@$(MAKE) --no-print-directory -j$(JOBS) mutate
	@$(MAKE) --no-print-directory -j$(JOBS) sim SEED=1000000 SEEDS=50000
	@$(MAKE) --no-print-directory -j$(JOBS) worlds DEPTH=9 STATES=5000000
	$(PYTEST) -rs --soak tests/qemu

BENCH_IMAGES = $(MAKE) --no-print-directory -j$(JOBS) images && \
    $(MAKE) --no-print-directory -j$(JOBS) APP=tests/bench/stream images

bench: packages-bench
	@$(BENCH_IMAGES)
	$(PYTHON) -B tests/bench/bench.py $(ONLY)

# Pieces of the host build, by callgrind. ACCEPT=1 makes them the baseline.
$(BUILD)/host/micro: $(BUILD)/host/obj/tests/bench/micro.c.o \
                     $(BUILD)/host/libtest.a $(BUILD)/host/libnet.a
	$(CC) -O2 -o $@ $< -Wl,--start-group $(BUILD)/host/libtest.a \
	    $(BUILD)/host/libnet.a -Wl,--end-group -lcmocka -lm

microbench bench-compare: packages-bench
	@$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/host/micro
	$(PYTHON) -B tests/bench/micro.py $(BUILD)/host/micro \
	    $(if $(ACCEPT),--accept) $(if $(filter bench-compare,$@),--compare)

profile: packages
	@$(BENCH_IMAGES)
	$(PYTHON) -B tests/bench/profile.py $(ONLY)

# --- running ---------------------------------------------------------------

RUN_APP  := $(or $(APP_NAME),http_hello)
# Where it listens; empty: it serves nobody.
RUN_PORT ?= $(if $(filter echo,$(RUN_APP)),7,$(if \
                $(filter fetch ping,$(RUN_APP)),,80))
export PORT ACCEL MEM ARGS

run: packages-build
	@$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/$(RUN_APP).elf
	@scripts/run.sh $(BUILD)/$(RUN_APP).elf "$(RUN_PORT)"

debug: packages-build
	@$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/$(RUN_APP).elf
	@scripts/debug.sh $(BUILD)/$(RUN_APP).elf "$(RUN_PORT)"

# The simulator: SEEDS seeds from SEED on, under sanitizers; a failing one
# prints itself, and `build/host/sim --shrink SEED` the least that fails.
SEED  ?= 1
SEEDS ?= 2000
sim: $(BUILD)/host-gcc/sim
	scripts/sim.sh $< $(SEED) $(SEEDS) $(JOBS)

# Every interleaving of two stacks with windows of three segments, in DEPTH
# moves from three beginnings, or STATES states of each.
DEPTH  ?= 7
STATES ?= 150000
worlds: $(BUILD)/host/world
	$< $(DEPTH) $(STATES)

# Goodput and fairness in virtual time: the same on every machine.
GOLDEN := tests/sim/golden
TABLES := goodput fairness
golden: $(TABLES:%=$(BUILD)/golden/%.txt)
	cp $^ $(GOLDEN)/
golden-check: $(TABLES:%=$(BUILD)/golden/%.txt)
	diff -u $(GOLDEN) $(BUILD)/golden
$(BUILD)/golden/%.txt: $(BUILD)/host/sim
	@mkdir -p $(@D)
	$< --golden $* >$@

FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/host-fuzz/%,\
                      $(wildcard tests/fuzz/fuzz_*.c))

$(BUILD)/host-fuzz/fuzz_%: $(BUILD)/host-fuzz/obj/tests/fuzz/fuzz_%.c.o \
                           $(BUILD)/host-fuzz/libtest.a \
                           $(BUILD)/host-fuzz/libnet.a
	$(CLANG) $(SANITIZE) -fsanitize=fuzzer -o $@ $< -Wl,--start-group \
	    $(BUILD)/host-fuzz/libtest.a $(BUILD)/host-fuzz/libnet.a \
	    -Wl,--end-group -lcmocka -lm

# Our TCP beside Linux's over the same bad wire: 24 cells, minutes to an hour.
.PHONY: goodput
goodput: $(BUILD)/host/goodput
	$(PYTHON) -B tests/linux/goodput.py $(CELLS)

# Scripted packets at our stack and at Linux: each difference has its clause.
.PHONY: differential
differential: packages
	@$(MAKE) --no-print-directory $(BUILD)/host/node
	$(PYTHON) -B tests/linux/differential.py $(ONLY)

$(BUILD)/host/goodput $(BUILD)/host/node: $(BUILD)/host/%: \
                       $(BUILD)/host/obj/tests/linux/%.c.o \
                       $(BUILD)/host/libtest.a $(BUILD)/host/libnet.a
	$(CC) -O2 -o $@ $< -Wl,--start-group $(BUILD)/host/libtest.a \
	    $(BUILD)/host/libnet.a -Wl,--end-group

# Ten minutes each, or MINUTES; 0 replays the corpus in tests/fuzz/corpus/.
MINUTES ?= 10
fuzz: $(FUZZERS)
	scripts/fuzz.sh $(MINUTES) $^

clean:
	rm -rf $(filter-out $(BUILD)/newlib,$(wildcard $(BUILD)/*))
