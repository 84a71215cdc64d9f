# The line's commands. Each makes the virtual environment by itself when it is missing or stale.
#
#   make run      the whole line, from corpora to a registered model (the same as: seqline run)
#   make test     every test, side by side; with SEQLINE_DATA=FOLDER those on real corpora too
#   make check    format, lint, types, import rules
#   make lock     resolve requirements.in anew
#   make docs     write the pages that are generated from the settings and models
#   make clean    remove the environment and caches; data, results and the registry stay
#
# PYTHON         the Python (3.11) that the environment is made from
# PIP_FIND_LINKS a folder with packages of your own, such as a build of torch for CPUs
# TORCH_BACKEND  cpu, cu130, …: which build of torch to fetch where the folder has none

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := run
.PHONY: run test check clean lock docs

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Real corpora beside the project, for the tests that need some.
SEQLINE_DATA ?= $(wildcard ../shared/data)
ifneq ($(SEQLINE_DATA),)
export SEQLINE_DATA := $(abspath $(SEQLINE_DATA))
endif

run: $(STAMP)
	@seqline run

test: $(STAMP)
	@python -m pytest -q --numprocesses auto --maxprocesses 8 --dist loadscope \
	    --no-loadscope-reorder $(ARGS)

check: $(STAMP)
	ruff format --check .
	ruff check .
	pyright
	lint-imports
	@python infra/sizes.py

lock: $(STAMP)
	@python infra/lock.py $(ARGS)
	@git diff --stat -- requirements.lock versions.yaml

docs: $(STAMP)
	@python docs/generate.py

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is touched last: an installation that was interrupted is made again.
$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) > /dev/null || { echo "no $(PYTHON): make $@ PYTHON=FILE"; exit 1; }
	@echo "making $(VENV): $$(grep -c '==' requirements.lock) packages"
	@$(PYTHON) -m venv --clear $(VENV)
	@pip install -qq --disable-pip-version-check "$$(grep '^uv==' requirements.lock)"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet --compile-bytecode \
	    $${PIP_FIND_LINKS:+--find-links "$$PIP_FIND_LINKS"} \
	    $${TORCH_BACKEND:+--torch-backend "$$TORCH_BACKEND"} -r requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
