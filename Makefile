# HematoVision from a fresh checkout: `make run` starts the site, `make test` tests it.
# Linux and Python 3.11 to 3.13; everything else is fetched into .venv and node_modules.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,\
    $(shell $(name) -c 'import sys; (3, 11) <= sys.version_info[:2] <= (3, 13) and print("$(name)")' 2>/dev/null)) python3)
HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv/bin/python
# Each core's tests have a PostgreSQL and a Redis of their own; those that are given can't be shared.
ON_ALL_CORES := $(if $(REDIS_URL),,--numprocesses logical --maxprocesses 4 --dist loadfile)
UV := UV_PYTHON_DOWNLOADS=never $(VENV) -m uv pip compile --universal --python-version 3.11 \
    --generate-hashes --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test lint types check lock sbom

help: ## Show what there is
	@echo "HematoVision: what make can do"
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile | expand -t 20

setup: ## Packages and front-end files, as locked (done by the others when needed)
	@$(PYTHON) bootstrap.py

setup-dev:
	@$(PYTHON) bootstrap.py --dev

run: setup ## Start the site. PORT=8000 HOST=127.0.0.1 IMAGES=folder DEMO=0
	@exec $(VENV) -m hematovision.supervisor --host "$(HOST)" --port "$(PORT)" \
	    --images "$(IMAGES)" $(if $(filter 0 no false,$(DEMO)),--no-demo)

test: setup-dev ## Run the tests. ARGS="tests/accounts -k invite"
ifdef ARGS
	@exec $(VENV) -m pytest $(ARGS)
else # What starts sites, workers and browsers has the machine to itself.
	@$(VENV) -m pytest $(ON_ALL_CORES) -m "not processes"; others=$$?; \
	    $(VENV) -m pytest -m processes && exit $$others
endif

lint: setup-dev ## Style, formatting, and which layer may import which
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

types: setup-dev ## Check the types
	@$(VENV) -m mypy .

check: ## Everything that CI does
	@.ci/run

sbom: setup-dev ## What it is made of, as CycloneDX JSON. FILE=hematovision.cdx.json
	@$(VENV) -m tools.bill_of_materials $(FILE)

lock: setup-dev ## Resolve requirements*.in and package.json anew
	@$(UV) requirements.in -o requirements.txt
	@$(UV) requirements-dev.in -o requirements-dev.txt
	@$(VENV) -c 'import bootstrap; bootstrap.npm("install", "--package-lock-only")'
