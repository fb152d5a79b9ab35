# Bullpen's commands. `make help` lists them.
MAKEFLAGS += --no-print-directory
NODE := node_modules/.bin/node
# For what must work before set-up and after `make clean`.
ANY_NODE := $(if $(wildcard $(NODE)),$(NODE),node)
SUPERVISOR := apps/standalone/dist/supervisor.js

.PHONY: help setup build up down doctor reset test test-faults test-long check bench openapi lint clean
.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Bring what this machine lacks: packages, Node 24, NATS, bubblewrap
	@tools/setup.sh

build: setup ## Set up and compile
	@tools/build.sh

up: build ## Start Bullpen and keep it running; Ctrl-C stops everything
	@exec $(NODE) $(SUPERVISOR) up

down: ## Stop what `make up` started
	@if [ -f $(SUPERVISOR) ] && [ -x $(NODE) ]; then exec $(NODE) $(SUPERVISOR) down; else exec $(ANY_NODE) tools/down.mjs; fi

doctor: ## Say what is missing or unhealthy, and the cure; JSON=1 for programs
	@$(ANY_NODE) tools/doctor.mjs

reset: ## Remove all sessions and data; asks first, FORCE=1 does not
	@$(ANY_NODE) tools/refuse-while-running.mjs 'make reset'
	@$(ANY_NODE) tools/reset.mjs

test: build ## Run every test; ends with "N passed, N failed"
	@tools/test.sh

test-faults: build ## Kill and cut everything, at many moments; SEED=… repeats one
	@tools/test-faults.sh $(ARGS)

test-long: build ## The tests twice in a row, as root and as an ordinary user
	@tools/test-long.sh

check: build ## Style, types, import boundaries, contracts
	@tools/check.sh

bench: build ## Measure, each figure beside its bare path; ONLY=agent, streams, or profile (where the time goes)
	@$(NODE) bench/dist/main.js $(ONLY)

openapi: build ## Renew docs/api/openapi.json from the code
	@$(NODE) tools/openapi.mjs

lint: check ## The same as check

clean: ## Remove what builds made; data in .bullpen/ stays
	@$(ANY_NODE) tools/refuse-while-running.mjs 'make clean'
	@rm -rf libs/contracts/src/gen .nx .jest-cache coverage
	@find libs services apps bench -name node_modules -prune -o -type d -name dist -prune -exec rm -rf {} +
