# Everything a person or CI does with the repository. Needs Python >= 3.11 and make; the rest is installed into .venv by hash.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

ARGS ?=
SUITE ?=
MINUTES ?= 1
SEED ?=
BIN := .venv/bin
UV := $(BIN)/uv
SERVICES := ingest scoring orchestrator channels
PACKAGES := libs/common $(SERVICES:%=services/%) deploy/local
CODE := libs services deploy tests
LOCKS := requirements.lock requirements-build.lock requirements-data.lock requirements-tools.lock
OVERLAYS := local production
ALONE := tests/faults/test_runs.py tests/ring  # seconds are judged there, so nothing runs beside them
IMAGE_TAG ?= dev

.PHONY: help demo up down test check bench faults docs script manifests images lock format clean lint types imports spelling dockerfile

help: ## show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  ARGS='...' is passed on, SUITE=unit runs one folder of tests/"

# --- run -------------------------------------------------------------------------------------------------------------

demo: .venv/ready ## start everything, replay months of a shop's customers in minutes, print what happened
	$(BIN)/nextwave demo $(ARGS)

up: .venv/ready ## start Kafka, PostgreSQL, the four services and the provider simulator on this machine
	$(BIN)/nextwave up $(ARGS)

down: .venv/ready ## stop what `make up` started
	$(BIN)/nextwave down $(ARGS)

# --- verify ----------------------------------------------------------------------------------------------------------

test: .venv/ready ## run the tests (SUITE=folder of tests/)
ifdef SUITE
	$(BIN)/python -m pytest tests/$(SUITE) $(ARGS)
else
	failed=0; $(BIN)/python -m pytest tests $(ALONE:%=--ignore=%) --numprocesses 2 --dist loadfile $(ARGS) || failed=1; \
	$(BIN)/python -m pytest $(ALONE) $(ARGS) || failed=1; exit $$failed
endif

check: .venv/ready lint types imports spelling dockerfile manifests ## verify style, types, imports, limits, contracts, generated documents, manifests
	$(BIN)/python -m pytest -q tests/architecture tests/contracts tests/deploy

bench: .venv/ready ## measure against the goals (ARGS='--json FILE')
	PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

faults: .venv/ready ## break a running stack for MINUTES by SEED, heal it, check every promise from outside (ARGS='--help')
	PYTHONPATH=tests $(BIN)/python -m faults --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

lint: .venv/ready
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: .venv/ready
	$(BIN)/mypy $(CODE)

imports: .venv/ready
	$(BIN)/lint-imports

spelling: .venv/ready
	$(BIN)/codespell $(CODE) docs Makefile $(wildcard *.md)

dockerfile: .venv/ready
	$(BIN)/hadolint deploy/Dockerfile

# --- generate --------------------------------------------------------------------------------------------------------

docs: .venv/ready ## write the generated documents
	@mkdir -p build
	$(BIN)/python -m nextwave_contracts.asyncapi > build/asyncapi.json && mv build/asyncapi.json docs/asyncapi.json
	$(BIN)/python -m nextwave_channels.picture > build/delivery-states.md && mv build/delivery-states.md docs/delivery-states.md

script: .venv/ready ## minify the script that shops load for on-site invitations
	PYTHONPATH=tests $(BIN)/python -m clients.minify

manifests: build/kubectl ## render the Kubernetes overlays into build/manifests
	@mkdir -p build/manifests
	@for overlay in $(OVERLAYS); do \
	  build/kubectl kustomize deploy/k8s/overlays/$$overlay > build/manifests/$$overlay.yaml; \
	  echo "build/manifests/$$overlay.yaml"; \
	done

images: ## build the container images (needs a container engine)
	@for service in $(SERVICES) local; do \
	  docker build -f deploy/Dockerfile --build-arg SERVICE=$$service \
	    --build-arg FOLDER=$$(ls -d services/$$service deploy/$$service 2>/dev/null) -t nextwave-$$service:$(IMAGE_TAG) .; \
	done

format: .venv/ready ## format the code
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

# --- environment -----------------------------------------------------------------------------------------------------

COMPILE = $(UV) pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"
UNEMITTED := --no-emit-package nextwave-common $(foreach name,$(SERVICES) local,--no-emit-package nextwave-$(name))

lock: .venv/ready ## resolve the dependencies again and write the lock files
	$(COMPILE) --universal $(UNEMITTED) --group dev pyproject.toml $(PACKAGES:%=%/pyproject.toml) -o requirements.lock
	$(COMPILE) --universal --group build -c requirements.lock -o requirements-build.lock
	$(COMPILE) --universal --no-deps --group data -o requirements-data.lock
	$(COMPILE) --universal --no-deps --group tools -o requirements-tools.lock
	for package in $(SERVICES:%=services/%) deploy/local; do \
	  $(COMPILE) --universal $(UNEMITTED) -c requirements.lock $$package/pyproject.toml -o $$package/requirements.lock; \
	done

# Made again only when a lock or a package's pyproject.toml changes. uv itself comes from the lock, by hash.
.venv/ready: $(LOCKS) pyproject.toml $(PACKAGES:%=%/pyproject.toml)
	@python=$$(for name in python3 python3.13 python3.12 python3.11; do \
	  "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done) \
	  || { echo "Python 3.11 or newer is needed" >&2; exit 1; }; \
	  test -x $(BIN)/python || "$$python" -m venv .venv
	@test -x $(UV) || { \
	  awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > .venv/uv.txt; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt; }
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r requirements-data.lock -r requirements-tools.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(PACKAGES:%=-e %)
	@touch $@

build/kubectl: .venv/ready
	@$(BIN)/python deploy/k8s/kubectl.py $@

clean: ## remove everything that was made, the environment included
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
