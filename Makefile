# Everything starts here; `make` alone lists it. Works in any folder, as any user.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first Python on this machine that is new enough; the bootstrap names the remedy where none is.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3)
BOOTSTRAP = $(PYTHON) hotline/bootstrap.py
RUN = .venv/bin/python
PYTEST = $(RUN) -m pytest -q

# Journeys wait for telephones more than they compute: two for each core and one more, and a process for what computes. Each runs
# a town of seven processes (about 1 GB).
JOBS ?= $(shell awk -v most=$$((2 * $$(nproc) + 2)) \
	'/MemAvailable/ { n = int($$2 / 1200000); print (n < 2 ? 2 : n > most ? most : n) }' /proc/meminfo)
N ?= 1
# A town is eight processes of ours: each would compile all of our code anew at every start.
unexport PYTHONDONTWRITEBYTECODE
# No tool downloads a browser of its own.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

.PHONY: help demo up doctor test test-fast faults bench check setup clean distclean

help: ## Show this list
	@echo "The 12349 hotline. make <target>:"
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | awk -F '\t' '{ printf "  %-10s %s\n", $$1, $$2 }'
	@echo "First start: make demo. Downloads are kept in $${HOTLINE_CACHE_DIR:-~/.cache/hotline-12349}."

demo: ## One elder rings, a provider comes: the whole journey, live (ONCE=1: once, as JSON)
	@$(BOOTSTRAP) --tools
	@.venv/bin/hotline demo $(if $(ONCE),--once --json)

up: ## Run the hotline until Ctrl-C
	@$(BOOTSTRAP) --tools
	@.venv/bin/hotline up

doctor: ## Check everything the hotline needs, with the remedy for what is missing
	@$(BOOTSTRAP)
	@.venv/bin/hotline doctor

test: ## All tests: units, journeys over SIP, both databases, browser (PYTEST_ARGS, JOBS)
	@$(BOOTSTRAP) --tests
	@$(PYTEST) -n $(JOBS) --dist loadgroup $(PYTEST_ARGS)

test-fast: ## Tests that need no telephone, no model of speech, no browser and no patience (PYTEST_ARGS)
	@$(BOOTSTRAP) --tools
	@$(PYTEST) -n $$(($$(nproc) + 1)) --dist loadgroup -m "not call and not browser and not fault and not slow and not speech" \
		--ignore tests/calls $(PYTEST_ARGS)

faults: ## Every fault at N random instants on both databases, with a table at the end (N=20)
	@$(BOOTSTRAP) --tests
	@rm -f var/faults.jsonl
	@HOTLINE_FAULT_INSTANTS=$(N) HOTLINE_FAULT_SEED=$${HOTLINE_FAULT_SEED:-$$(date +%s)} \
		$(PYTEST) -n $(JOBS) --dist loadgroup -m fault $(PYTEST_ARGS); ended=$$?; \
		$(RUN) -m tests.support.faults_table; exit $$ended

bench: ## Measure (ONLY=P1: one of them)
	@$(BOOTSTRAP) --tools
	@$(RUN) -m tests.bench $(if $(ONLY),--only $(ONLY))

check: ## Style, types, layers and migrations
	@$(BOOTSTRAP)
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --quiet --check . || { echo "Remedy: .venv/bin/ruff format ."; exit 1; }
	@.venv/bin/mypy --no-error-summary
	@said=$$(.venv/bin/lint-imports --no-logo) || { echo "$$said"; exit 1; }
	@$(RUN) -c 'import sys; from models.schema import heads; \
		len(heads()) == 1 or sys.exit(f"migrations have {len(heads())} heads, one is wanted: {heads()}")'
	@echo "check: clean"

setup: ## Only fetch: Python packages, Asterisk, voice tools
	@$(BOOTSTRAP) --tools

clean: ## Remove caches and run files; data in var/ and the environment stay
	@find . -path ./.venv -prune -o -path ./var -prune -o -path ./node_modules -prune \
		-o -type d -name __pycache__ -prune -exec rm -rf {} +
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build ./*.egg-info

distclean: clean ## Also remove the environment; data in var/ and the shared download cache stay
	@rm -rf .venv
