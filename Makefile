# make run · make test · make lint · make bench. Everything is installed into .venv; nothing else of the machine changes,
# but for a browser for the end-to-end tests where there is none and it can be had (tests/e2e/browser.py says how).

PORT ?= 8501
STORE ?= data/local
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help run sample test test-slow lint bench clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-10s %s\n", $$1, $$2 }'

run: $(VENV)/.installed ## the app on the store (PORT=8501 STORE=data/local); makes the sample if the store is empty
	@test -f $(STORE)/CURRENT || $(BIN)/python -m analytics demo --store $(STORE)
	@echo "Headroom: http://127.0.0.1:$(PORT)"
	@HEADROOM_STORE=$(STORE) exec $(BIN)/python -m streamlit run serve.py --server.port $(PORT)

sample: $(VENV)/.installed ## write the sample organisation again and build it
	$(BIN)/python -m analytics demo --store $(STORE)

test: $(VENV)/.installed-dev ## everything but the slow tests
	$(BIN)/python -m tests.e2e.browser
	$(PYTEST) -n 2 --dist loadfile -m "not slow"

test-slow: $(VENV)/.installed-dev ## the slow tests: long fuzzing, large inputs
	$(PYTEST) -n 2 --dist loadfile -m slow

lint: $(VENV)/.installed-dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev ## the figures of docs/PERFORMANCE.md
	@test -f $(STORE)/CURRENT || $(BIN)/python -m analytics demo --store $(STORE)
	HEADROOM_STORE=$(STORE) $(BIN)/python -m tests.bench

clean: ## remove the environment; stores are kept
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Headroom needs Python 3.11 or newer; install it, or name it: make run PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing what Headroom needs (first time, or after requirements.txt changed) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt | $(BIN)/python
	@echo "Installing what the tests need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.installed
