# rules.mk: how sources become programs.

SERVICES := # filled by the calls of `service`
PROGRAMS :=
CONTRACTS := $(patsubst proto/%.proto,%,$(wildcard proto/*.proto))
SERVICE_CONTRACTS := $(filter-out http rpc,$(CONTRACTS))

# --- Generated sources -------------------------------------------------------------------------------------------
# protoc-c makes the messages; proto/generate makes the rest (common/rpc/method.h lists it) from one descriptor set.
PROTOC_INCLUDE := --proto_path=proto --proto_path=/usr/include
PB_C      := $(patsubst %,$(GEN)/%.pb-c.c,$(CONTRACTS))
GENERATOR := build/generate
GENERATED := $(foreach s,$(SERVICE_CONTRACTS),$(GEN)/$(s).methods.c $(GEN)/$(s).methods.h) \
             $(foreach s,rpc $(SERVICE_CONTRACTS),$(GEN)/$(s).client.c $(GEN)/$(s).client.h) \
             $(GEN)/services.c $(GEN)/services.h $(GEN)/shapes.c $(GEN)/shapes.h $(GEN)/routes.c $(GEN)/openapi.json

$(GEN)/google/protobuf/descriptor.pb-c.c:
	@mkdir -p $(GEN)
	$(call show,PROTOC-C,descriptor.proto)
	$(Q)protoc-c --proto_path=/usr/include --c_out=$(GEN) google/protobuf/descriptor.proto

$(GEN)/%.pb-c.c: proto/%.proto proto/http.proto proto/rpc.proto | $(GEN)/google/protobuf/descriptor.pb-c.c
	$(call show,PROTOC-C,$<)
	$(Q)protoc-c $(PROTOC_INCLUDE) --c_out=$(GEN) $<

$(GENERATOR): $(wildcard proto/generate/*.c proto/generate/*.h) common/base/arena.c common/base/text.c common/base/version.h $(GEN)/google/protobuf/descriptor.pb-c.c $(GEN)/http.pb-c.c
	$(call show,CC,$@)
	$(Q)$(CC) -std=gnu11 -g -O1 $(WARN) $(CPPFLAGS) -o $@ $(filter %.c,$^) $(shell pkg-config --libs libprotobuf-c json-c)

$(GEN)/contracts.ds: $(wildcard proto/*.proto)
	@mkdir -p $(GEN)
	$(Q)protoc $(PROTOC_INCLUDE) --include_source_info --include_imports --descriptor_set_out=$@ $^

$(GEN)/generated.stamp: $(GENERATOR) $(GEN)/contracts.ds proto/openapi.json proto/examples.json $(PB_C)
	$(call show,GENERATE,methods clients shapes routes openapi.json)
	$(Q)$(GENERATOR) $(GEN)/contracts.ds proto/openapi.json proto/examples.json $(GEN)
	@touch $@
# Left as they are when nothing in them changed, so that what includes them is not compiled again.
$(GENERATED) $(PB_C:.c=.h): $(GEN)/generated.stamp ;

# A contract for tests alone, in a folder of its own.
SAMPLE := $(GEN)/sample
$(SAMPLE)/generated.stamp: tests/unit/contract/sample.proto tests/unit/contract/openapi.json tests/unit/contract/examples.json $(GENERATOR) $(GEN)/generated.stamp
	@mkdir -p $(SAMPLE)
	$(call show,GENERATE,$<)
	$(Q)protoc --proto_path=$(<D) $(PROTOC_INCLUDE) --include_source_info --include_imports --descriptor_set_out=$(SAMPLE)/contracts.ds $<
	$(Q)protoc-c --proto_path=$(<D) $(PROTOC_INCLUDE) --c_out=$(SAMPLE) $<
	$(Q)$(GENERATOR) $(SAMPLE)/contracts.ds $(<D)/openapi.json $(<D)/examples.json $(SAMPLE)
	@touch $@
$(SAMPLE)/sample.pb-c.c $(SAMPLE)/services.c $(SAMPLE)/shapes.c $(SAMPLE)/routes.c $(SAMPLE)/sample.client.c $(SAMPLE)/sample.methods.c: $(SAMPLE)/generated.stamp ;

# Migrations and static files become C arrays.
$(GEN)/%.migrations.c: common/build/migrations.sh $(wildcard common/*/*.sql)
	@mkdir -p $(GEN)
	$(Q)bash common/build/migrations.sh $* > $@

# The names of all settings, so that a slip in one can be told.
$(GEN)/config_names.stamp: common/build/settings.sh $(wildcard gateway/*.c svc-*/*.c svc-*/*/*.c) common/service/settings.c common/scripts/lib.sh $(wildcard proto/*.proto) common/scripts/stack.sh common/scripts/postgres.sh compose.yaml
	@mkdir -p $(GEN)
	$(Q)bash common/build/settings.sh > $@
	$(Q)cmp -s $@ $(GEN)/config_names.c || cp $@ $(GEN)/config_names.c
$(GEN)/config_names.c: $(GEN)/config_names.stamp ;

# --- Objects and the common library -------------------------------------------------------------------------------
COMMON_SRC := $(wildcard common/*/*.c)
COMMON_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(COMMON_SRC)) \
              $(patsubst $(GEN)/%.c,$(B)/obj/gen/%.o,$(filter-out $(GEN)/http.pb-c.c,$(PB_C)) \
                $(foreach s,rpc $(SERVICE_CONTRACTS),$(GEN)/$(s).client.c) $(GEN)/services.c $(GEN)/shapes.c $(GEN)/config_names.c)

$(B)/obj/%.o: %.c | $(GEN)/generated.stamp
	@mkdir -p $(@D)
	$(call show,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
# Generated code is not ours to warn about.
$(B)/obj/gen/%.o: $(GEN)/%.c | $(GEN)/generated.stamp
	@mkdir -p $(@D)
	$(call show,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -Werror,$(CFLAGS)) -w -MMD -MP -c -o $@ $<

$(B)/obj/tests/%.o: tests/%.c | $(SAMPLE)/generated.stamp
	@mkdir -p $(@D)
	$(call show,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libcommon.a: $(COMMON_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

# $(call service,NAME,LIBRARIES)
define service
SERVICES += $(1)
PROGRAMS += $(B)/svc-$(1)
$(GEN)/$(1).migrations.c: $(wildcard svc-$(1)/migrations/*.sql)
$(1)_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(filter-out svc-$(1)/helper/%,$(wildcard svc-$(1)/*.c svc-$(1)/*/*.c))) $(B)/obj/gen/$(1).methods.o $(B)/obj/gen/$(1).migrations.o
$(B)/svc-$(1): $$($(1)_OBJ) $(B)/libcommon.a
	$$(call show,LINK,$$@)
	$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ $(2) $$(LDLIBS)
all: $(B)/svc-$(1)
endef

# $(call helper,NAME,PROGRAM,LIBRARIES): a program that a service starts, in svc-NAME/helper. It shares no code of ours.
define helper
PROGRAMS += $(B)/$(2)
$(B)/$(2): $(patsubst %.c,$(B)/obj/%.o,$(wildcard svc-$(1)/helper/*.c))
	$$(call show,LINK,$$@)
	$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ $(3)
all: $(B)/$(2)
endef

define gateway
PROGRAMS += $(B)/gateway
gateway_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard gateway/*.c)) $(B)/obj/gen/routes.o $(B)/obj/gen/static.o
$(B)/gateway: $$(gateway_OBJ) $(B)/libcommon.a
	$$(call show,LINK,$$@)
	$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ $(1) $$(LDLIBS)
all: $(B)/gateway
endef

$(GEN)/static.c: gateway/static.sh gateway/widget_name.sh $(shell find gateway/static -type f 2>/dev/null) $(GEN)/openapi.json
	@mkdir -p $(GEN)
	$(Q)bash gateway/static.sh gateway/static $(GEN)/openapi.json $@

-include $(shell find $(B) -name '*.d' 2>/dev/null)
