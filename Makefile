# The ways into policyd; `make help` lists them. A thin layer over CMake: what is built and how stands in CMakeLists.txt
# and CMakePresets.json, what is installed in contrib/packages.sh.
#
# Settings: JOBS, PREFIX and SYSCONFDIR (where `make install` puts things), DESTDIR, FUZZ_SECONDS, BENCH (arguments of
# the bench). With CI=true warnings are errors.

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
FUZZ_SECONDS ?= 60

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
PRESET := $(if $(CI),ci,release)
PACKAGES := sh contrib/packages.sh
POLICY_SERVER := check_policy_service inet:127.0.0.1:10031
RUNTIME_DIRECTORY := /run/policyd

# Looked up when a recipe runs: `make deps` may just have brought it.
WITH_NINJA = if command -v ninja >/dev/null; then export CMAKE_GENERATOR=Ninja; fi
CMAKE_BUILD = cmake --build build --parallel $(JOBS)

.DEFAULT_GOAL := all
.PHONY: all programs run test bench lint tidy fmt fuzz asan tsan install deps deps-test clean help

all: ## builds build/policyd and build/policyctl (the default)
	@$(PACKAGES) --check build
	@$(MAKE) --no-print-directory programs

# A tree that `make test` has configured keeps its tests; a new one asks for nothing that only tests need.
programs:
	@$(WITH_NINJA); [ -e build/CMakeFiles/TargetDirectories.txt ] || cmake --preset $(PRESET) -DBUILD_TESTING=OFF
	@$(CMAKE_BUILD) --target policyd policyctl

run: deps ## installs what is missing, builds, and serves conf/policyd.toml in the foreground
	@$(MAKE) --no-print-directory programs
	@[ -w $(RUNTIME_DIRECTORY) ] || { echo "Creating $(RUNTIME_DIRECTORY) for the admin socket"; \
	  $(SUDO) install -d -o "$$(id -u)" -g "$$(id -g)" $(RUNTIME_DIRECTORY); }
	@echo
	@echo "policyd serves conf/policyd.toml until ctrl-c. For Postfix to ask it, put into main.cf, and reload Postfix:"
	@echo
	@echo "    smtpd_recipient_restrictions = $(POLICY_SERVER)"
	@echo "    smtpd_end_of_data_restrictions = $(POLICY_SERVER)"
	@echo
	@exec build/policyd -c conf/policyd.toml

# Most tests wait for something: twice as many as there are processors run side by side.
test: deps-test ## installs what is missing, builds, and runs every test, with a real Postfix and a real Redis
	@$(WITH_NINJA); cmake --preset $(PRESET) -DBUILD_TESTING=ON
	@$(CMAKE_BUILD)
	@ctest --test-dir build --parallel $$(( 2 * $(JOBS) )) --output-on-failure --no-tests=error

bench: deps-test ## measures requests/s, latency and memory against a bare responder (BENCH="--help" for more)
	@$(WITH_NINJA); cmake --preset $(PRESET) -DBUILD_TESTING=ON
	@$(CMAKE_BUILD) --target policyd policyctl bench_tools
	@python3 tests/bench/run.py --build build $(BENCH)

lint: ## checks the house's rules and the man pages, and runs clang-tidy where it is installed
	@$(PACKAGES) lint
	@python3 tests/lint/structure.py
	@mandoc -T lint -W warning man/*.[1-8]
	@if command -v clang-tidy >/dev/null && [ -e build/CMakeCache.txt ] && [ -z "$(CI)" ]; \
	  then $(MAKE) --no-print-directory tidy; fi

# GCC's precompiled headers are nothing to clang: it is told how sources are compiled without them.
tidy: ## clang-tidy alone, on all sources of the programs or on FILES="shared/text.cpp ..."
	@cmake --preset release -B build-tidy -DBUILD_TESTING=OFF -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
	@printf '%s\n' $(or $(FILES),$$(git ls-files 'shared/*.cpp' 'policyd/*.cpp')) | \
	  xargs -P $(JOBS) -n 4 clang-tidy --quiet -p build-tidy

fmt: ## brings C++ files into the house's format
	@$(PACKAGES) fmt
	@git ls-files --cached --others --exclude-standard '*.cpp' '*.h' | xargs clang-format -i

fuzz: ## feeds requests, DNS answers, SPF records and answer filters at random, FUZZ_SECONDS for each
	@$(PACKAGES) fuzz
	@$(WITH_NINJA); cmake --preset fuzz
	@cmake --build build-fuzz --parallel $(JOBS) --target fuzz_targets
	@for target in protocol dns spf filter; do \
	  mkdir -p build-fuzz/corpus/$$target; \
	  seeds=; [ $$target != protocol ] || seeds=tests/data/postfix-requests; \
	  echo "fuzz_$$target:"; \
	  build-fuzz/fuzz_$$target -max_total_time=$(FUZZ_SECONDS) -max_len=70000 -verbosity=0 -print_final_stats=1 \
	    -artifact_prefix=build-fuzz/ build-fuzz/corpus/$$target $$seeds || exit 1; \
	done

asan tsan: deps-test ## runs the unit tests under AddressSanitizer and UBSan (asan), or ThreadSanitizer (tsan)
	@$(WITH_NINJA); cmake --preset $@ -DBUILD_TESTING=ON
	@cmake --build --preset $@ --parallel $(JOBS)
	@ctest --preset $@

install: ## installs under DESTDIR and PREFIX; a configuration that is there is kept
	@$(PACKAGES) --check build
	@$(WITH_NINJA); [ -e build/CMakeFiles/TargetDirectories.txt ] || cmake --preset $(PRESET) -DBUILD_TESTING=OFF
	@cmake build -DCMAKE_INSTALL_PREFIX='$(PREFIX)' -DCMAKE_INSTALL_SYSCONFDIR='$(SYSCONFDIR)' >/dev/null
	@$(CMAKE_BUILD) --target policyd policyctl
	@DESTDIR='$(DESTDIR)' cmake --install build

deps: ## installs the Debian packages that the build needs
	@$(PACKAGES) make build

deps-test: ## installs the Debian packages that the build and the tests need
	@$(PACKAGES) make test

clean: ## removes what was built
	rm -rf build build-debug build-asan build-tsan build-fuzz build-tidy

help: ## shows this list
	@sed -n 's/^\([a-z -]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | \
	  awk -F '\t' '{ printf "make %-10s %s\n", $$1, $$2 }'
