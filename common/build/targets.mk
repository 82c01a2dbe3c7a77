# targets.mk: what people type.

.PHONY: help clean test test-unit test-%
help:
	@grep -hE '^## ' common/build/targets.mk | sed 's/^## /  /'

## make              build everything
## make test         every test: unit, then end to end
## make test-unit    the unit tests; make test-arena runs tests/unit/test_arena.c alone
## make clean        forget what was built
clean:
	rm -rf build

# --- Unit tests: tests/unit/test_<module>.c, one program each; what it links beyond the common library is found in
# its first lines: "/* links: svc-documents/chunk.c -lxml2 */".
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
define unit
$(1)_LINKS := $(shell sed -n 's|.*links: \(.*\) \*/.*|\1|p' tests/unit/$(1).c)
$(B)/tests/$(1): $(B)/tests/unit/$(1).o $$(patsubst %.c,$(B)/%.o,$$(filter %.c,$$($(1)_LINKS))) $(B)/libcommon.a
	@mkdir -p $$(@D)
	$(CC) $(LDFLAGS) -o $$@ $$^ $$(filter -l%,$$($(1)_LINKS)) $$(LDLIBS) -lcmocka
endef
$(foreach t,$(UNIT),$(eval $(call unit,$(t))))

test-unit: $(UNIT:%=$(B)/tests/%)
	@for t in $^; do ./$$t || exit 1; done
$(UNIT:test_%=test-%): test-%: $(B)/tests/test_%
	./$<
