# targets.mk: what people type. Lines that begin with two hashes are what `make help` prints.

.PHONY: help deps run up down test test-unit test-e2e prism fault bench asan tsan fuzz tidy clean
help:
	@sed -n 's/^## \{0,1\}//p' common/build/targets.mk

## Parley: make run is where to start.
##
## make                build everything into build/release
## make run            start it here, in the foreground: http://localhost:8000; Ctrl-C stops it
## make up, make down  the same in the background; stop it
##                       PARLEY_PORT=8000  PARLEY_STATE=./.run  PARLEY_REPLICAS="chat=2 gateway=2"
run up: all
	@VARIANT=$(VARIANT) common/scripts/stack.sh $@
down:
	@VARIANT=$(VARIANT) common/scripts/stack.sh down

# Programs that tests and benches start. (What those of conformance link is said in their first lines, like a unit test's.)
CONFORMANCE := $(patsubst %.c,$(B)/%,$(wildcard tests/conformance/*.c))
FAULT := $(patsubst %.c,$(B)/%,$(wildcard tests/fault/*.c))
BENCH := $(patsubst %.c,$(B)/%,$(wildcard tests/bench/*.c))
$(FAULT) $(BENCH): $(B)/tests/%: $(B)/obj/tests/%.o $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call show,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

## make test           every test: unit, then end to end
## make test-unit      the unit tests; make test-arena runs tests/unit/test_arena.c alone
## make test-e2e       the public API against a running stack; ONLY="stream auth": files with such names
test: all unit-programs $(FAULT) $(CONFORMANCE)
	@VARIANT=$(VARIANT) common/scripts/test.sh unit e2e
test-unit: unit-programs
	@VARIANT=$(VARIANT) common/scripts/test.sh unit
test-e2e: all $(FAULT) $(CONFORMANCE)
	@VARIANT=$(VARIANT) ONLY="$(ONLY)" common/scripts/test.sh e2e

## make prism          the end-to-end tests once more, their answers held against openapi.json by Prism; ONLY=, as above
prism: all $(FAULT) $(CONFORMANCE)
	@NPM=prism common/scripts/npm.sh
	@rm -rf build/record
	-@VARIANT=$(VARIANT) ONLY="$(ONLY)" PARLEY_RECORD=$(CURDIR)/build/record common/scripts/test.sh e2e
	@ONLY="$(ONLY)" node tests/prism/compare.mjs build/record

# tests/unit/test_<module>.c: a program each. What it links beyond the common library stands in its first lines:
# "/* links: svc-documents/ingest/chunk.c -lxml2 */".
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
# (One program reads them all: make is called often.)
LINKS := $(shell awk 'FNR < 10 && / links: .* \*\// { name = FILENAME; sub(/.*\//, "", name); sub(/\.c$$/, "", name); \
           sub(/.* links: /, ""); sub(/ \*\/.*/, ""); for (i = 1; i <= NF; i++) print name "_LINKS+=" $$i }' \
           /dev/null $(wildcard tests/unit/test_*.c tests/fuzz/fuzz_*.c tests/conformance/*.c))
$(foreach l,$(LINKS),$(eval $(l)))
define unit
$(B)/tests/$(1): $(B)/obj/tests/unit/$(1).o $$(patsubst %.c,$(B)/obj/%.o,$$(filter %.c,$$($(1)_LINKS))) $(B)/libcommon.a
	@mkdir -p $$(@D)
	$$(call show,LINK,$$@)
	$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ $$(filter -l%,$$($(1)_LINKS)) $$(LDLIBS) -lcmocka
endef
$(foreach t,$(UNIT),$(eval $(call unit,$(t))))
define conformance
$(B)/tests/conformance/$(1): $(B)/obj/tests/conformance/$(1).o $$(patsubst %.c,$(B)/obj/%.o,$$(filter %.c,$$($(1)_LINKS))) $(B)/libcommon.a
	@mkdir -p $$(@D)
	$$(call show,LINK,$$@)
	$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach c,$(CONFORMANCE),$(eval $(call conformance,$(notdir $(c)))))
.PHONY: unit-programs $(UNIT:test_%=test-%)
unit-programs: $(UNIT:%=$(B)/tests/%)
$(UNIT:test_%=test-%): test-%: $(B)/tests/test_%
	@VARIANT=$(VARIANT) common/scripts/test.sh test_$*

## make asan           the whole suite with AddressSanitizer and UndefinedBehaviorSanitizer
## make tsan           the unit tests, and gateway and rpc end to end, with ThreadSanitizer
asan:
	$(MAKE) VARIANT=asan test
tsan:
	$(MAKE) VARIANT=tsan all unit-programs
	@VARIANT=tsan ONLY="$(or $(ONLY),gateway replicas streams)" common/scripts/test.sh unit e2e

## make fuzz T=60      every tests/fuzz/fuzz_*.c for T seconds; what it learns is kept in build/fuzz
T ?= 60
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
define fuzzer
$(B)/$(1): $(B)/obj/tests/fuzz/$(1).o $$(patsubst %.c,$(B)/obj/%.o,$$(filter %.c,$$($(1)_LINKS))) $(B)/libcommon.a
	$$(call show,LINK,$$@)
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $$@ $$^ $$(filter -l%,$$($(1)_LINKS)) $$(LDLIBS)
endef
$(foreach f,$(FUZZ),$(eval $(call fuzzer,$(f))))
.PHONY: fuzz-programs
fuzz-programs: $(FUZZ:%=$(B)/%)
fuzz:
	$(MAKE) VARIANT=fuzz CC=clang fuzz-programs
	@common/scripts/fuzz.sh $(T) $(FUZZ)

## make fault          what one client, frozen host or listener on the wire takes from the rest: figures, some minutes; ONLY=name
fault: all
	@VARIANT=$(VARIANT) ONLY="$(ONLY)" common/scripts/test.sh fault

## make bench          speed and memory, each figure beside its bar; fails when a bar is missed
bench: all $(BENCH)
	@common/scripts/npm.sh
	@ONLY="$(ONLY)" tests/bench/bench.py

## make tidy           clang-format and clang-tidy (Debian 12's, version 14), who may include whom, an owner in each statement
TIDY := $(filter-out $(wildcard tests/bench/*.c),$(wildcard common/*/*.c gateway/*.c svc-*/*.c svc-*/*/*.c proto/generate/*.c \
        tests/unit/*.c tests/fuzz/*.c tests/fault/*.c tests/conformance/*.c tests/conformance/*/*.c))
.PHONY: tidy-rooms tidy-statements tidy-format tidy-lint
tidy: tidy-rooms tidy-statements tidy-format tidy-lint
tidy-rooms:
	@common/build/rooms.sh
STATEMENTS := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*_statements.c))
tidy-statements:
	@$(MAKE) --no-print-directory -j$$(nproc) $(STATEMENTS)
	@for program in $(STATEMENTS); do $$program >$$program.out 2>&1 || { cat $$program.out; exit 1; }; done
tidy-format:
	@clang-format-14 --dry-run -Werror $$(git ls-files '*.c' '*.h')
tidy-lint: $(GEN)/generated.stamp $(SAMPLE)/generated.stamp
	@$(MAKE) --no-print-directory -j$$(nproc) -Otarget $(TIDY:%=build/tidy/%.ok)
build/tidy/%.ok: % .clang-tidy common/build/analyse.h $(wildcard common/*/*.h gateway/*.h svc-*/*.h svc-*/*/*.h) $(wildcard $(GEN)/generated.stamp)
	@mkdir -p $(@D)
	$(call show,TIDY,$<)
	@clang-tidy-14 --quiet --warnings-as-errors='*' $< -- -std=gnu11 $(CPPFLAGS) \
	  $(if $(filter common/base/error.c,$<),,-include common/build/analyse.h) 2>&1 | \
	  sed '/^[0-9]* warnings\{0,1\} generated\.$$/d;/^Suppressed /d;/^Use -header-filter/d'; exit $${PIPESTATUS[0]}
	@touch $@

## make deps           install the Debian packages for building, running and testing; the other targets do it as needed
deps:
	@common/scripts/deps.sh build run ocr test

## make clean          forget what was built (not ./.run, where the data is)
clean:
	rm -rf build

# --- What a goal needs of the machine is looked at (again when packages have changed) before anything is built: make
# remakes these included files, which installs what is missing, and reads everything anew.
GOALS := $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out help clean deps down,$(GOALS)),)
NEEDS := build $(if $(filter run up test% prism asan tsan bench,$(GOALS)),run) $(if $(filter test% prism asan tsan,$(GOALS)),test) \
         $(if $(filter tidy%,$(GOALS)),tidy) $(filter fuzz bench,$(GOALS))
include $(NEEDS:%=build/deps/%.mk)
$(NEEDS:%=build/deps/%.mk) &: common/scripts/deps.sh $(wildcard /var/lib/dpkg/status)
	@common/scripts/deps.sh $(NEEDS)
	@mkdir -p build/deps && touch $(NEEDS:%=build/deps/%.mk)
endif
