# `make` runs the pipeline on the demo film, `make test` the tests; both set everything up first.

# an active environment whose packages match is used; else .venv is made
ACTIVE := $(shell [ -n "$$VIRTUAL_ENV" ] && "$$VIRTUAL_ENV/bin/python" -m screentime.environment requirements.txt \
	2>/dev/null && printf '%s' "$$VIRTUAL_ENV")
# what .venv is built from; CI adds the extra whose tests may not be skipped
REQUIREMENTS := requirements.txt
VENV := $(or $(ACTIVE),$(CURDIR)/.venv)
READY := $(if $(ACTIVE),,.venv/ready)
export PATH := $(VENV)/bin:$(PATH)

.PHONY: all environment test lint benchmark clean help

all: environment  ## environment, demo film, the whole pipeline, and where the report is
	@python -m screentime check --only-params
	@dvc repro
	@python -m stages.publish || true  # DVC runs nothing where a pull brought the results; a store that is away is told
	@python -m screentime show

environment: $(READY)  ## the environment alone (.venv, or the active one where its packages match)

test: environment  ## environment, the tests
	@python -m pytest -n $$(python -c "import os; print((os.cpu_count() or 1) + 1)") --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: environment  ## style and common mistakes
	@ruff check .
	@ruff format --check .

benchmark: environment  ## what many films cost: writes the figures of docs/performance.md anew (ten minutes)
	@python benchmarks/many_films.py

clean:  ## empty the folders of results, so that everything is computed anew (films, labels and caches stay)
	@rm -rf data/frames data/targets data/audit data/skipped data/arrays data/features data/suggestions data/filled \
		data/scores data/measured data/estimates models/trained reports
	@echo "the folders of results are empty; 'make' fills them again"

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

.venv/ready: requirements.txt
	@for python in python3 python3.13 python3.12 python3.11 python none; do \
		"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break; \
	done; \
	[ "$$python" != none ] || { echo "python: $$(python3 --version 2>&1) was found, Python 3.11, 3.12 or 3.13 is" \
		"expected; install one of them" >&2; exit 1; }; \
	echo "building .venv with $$python (once; a few minutes, 3 GB)"; \
	"$$python" -m venv .venv && \
	.venv/bin/python -m pip install --quiet --no-compile --disable-pip-version-check -r $(REQUIREMENTS) && \
	{ .venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true; } && touch $@
