# Parley. `make help` says what there is; `make run` is where a stranger starts.
#
# Everything built goes to build/<variant>; generated sources to build/gen. A service is one line below.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-print-directory

VARIANT ?= release # release | asan | tsan | fuzz (with CC=clang)
VARIANT := $(strip $(VARIANT))
B   := build/$(VARIANT)
GEN := build/gen

Q    := $(if $(V),,@) # make V=1 shows the commands
show  = $(if $(V),,@printf '  %-9s %s\n' '$(1)' '$(2)')

CC       ?= cc
PACKAGES := libpq json-c libcurl libcrypto libjwt libprotobuf-c
WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-missing-field-initializers
HARDEN   := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
CPPFLAGS := -I. -I$(GEN) -D_GNU_SOURCE $(shell pkg-config --cflags $(PACKAGES) libxml-2.0 2>/dev/null)
# Hidden: libjwt's jansson calls its own json_string(), not the one of common/json/json.h that bears the same name.
CFLAGS   := -std=gnu11 -g $(WARN) $(HARDEN) -fvisibility=hidden -pthread
LDFLAGS  := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed -pthread
# Relocations in an eighth of the room, which each process has in memory: 1 MB of them all. Loaders read these from glibc 2.36 on.
LDFLAGS  += $(if $(filter 2.30 2.31 2.32 2.33 2.34 2.35,$(lastword $(shell getconf GNU_LIBC_VERSION))),,-Wl,-z,pack-relative-relocs)
LDLIBS    = $(shell pkg-config --libs $(PACKAGES)) -lnng -lcivetweb -lstemmer -lunistring -lm

CFLAGS_release := -O2 -D_FORTIFY_SOURCE=2
CFLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -fsanitize=thread -fno-omit-frame-pointer
CFLAGS_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -Wno-error -Wno-missing-prototypes
CFLAGS  += $(CFLAGS_$(VARIANT))
LDFLAGS += $(filter -fsanitize=%,$(CFLAGS_$(VARIANT)))

.PHONY: all
all:

include common/build/rules.mk

# The programs: a service is its folder and what it links beyond the common libraries.
$(eval $(call service,auth,-largon2))
$(eval $(call service,documents,-luchardet -lidn2))
# Those of the helper's files that read formats in memory: what its tests link.
READERS := $(filter-out %/extract.c %/jail.c %/landlock.c %/broker.c %/ocr.c %/scan.c %/pdf.c,$(wildcard svc-documents/helper/*.c))
$(eval $(call helper,documents,parley-extract,-larchive -lgumbo -ljson-c -lseccomp -lxml2 -lm))
$(eval $(call service,chatbots,))
$(eval $(call service,chat,-lunistring))
$(eval $(call service,integrations,))
$(eval $(call gateway,-lz))

include common/build/targets.mk

# svc-auth has the common passwords built in.
$(B)/obj/svc-auth/password.o: svc-auth/data/common-passwords.txt
