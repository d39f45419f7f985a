# Each target sets up .venv by itself; Python 3.11 or later and make are all that must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LABEL_STUDIO := .venv-label-studio
LABEL_STUDIO_VERSION := 1.23.2
READERS := .venv-readers
READERS_PACKAGES := torch torchcodec decord transformers datasets av imageio imageio-ffmpeg opencv-python-headless pillow \
  mlcroissant webdataset polars duckdb
# Named by what it holds, as a checkout gives every file a new time.
READERS_STAMP := $(READERS)/.installed-$(firstword $(shell echo $(READERS_PACKAGES) | cat - deploy/readers-constraints.txt | cksum))
DIFFSYNTH := .venv-diffsynth
DIFFSYNTH_VERSION := 2.1.12
FIFTYONE := .venv-fiftyone
FIFTYONE_VERSION := 1.22.0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where it is set, as in images, every process of a test compiles the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-fast lint ui clean lock label-studio readers diffsynth fiftyone

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (a few minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is %s; use make PYTHON=..." % sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	@touch $@

demo: $(STAMP)  ## make a library, build it, print the paper's tables
	@$(BIN)/emovid demo

ui: $(STAMP)  ## the Dagster UI on http://127.0.0.1:3000
	@$(BIN)/emovid ui

# Files in their order: those with the most tests first would leave the slowest, of few tests, to one process at the end.
# A process more than cores, as some tests wait for a daemon's next look.
test: $(STAMP)  ## all tests, in a process more than there are cores, at most four
	$(BIN)/python -m pytest -n $$($(PYTHON) -c "import os; print(min(4, (os.cpu_count() or 1) + 1))") --dist loadfile --no-loadscope-reorder

test-fast: $(STAMP)  ## without those that start processes or build the graph
	$(BIN)/python -m pytest -m "not integration and not corpus"

label-studio: $(LABEL_STUDIO)/.installed-$(LABEL_STUDIO_VERSION)  ## Label Studio in its own environment, for the tests that need it

$(LABEL_STUDIO)/.installed-$(LABEL_STUDIO_VERSION): deploy/label-studio-constraints.txt
	@echo "Setting up $(LABEL_STUDIO) (a few minutes the first time)"
	@test -x $(LABEL_STUDIO)/bin/python || $(PYTHON) -m venv $(LABEL_STUDIO)
	@$(LABEL_STUDIO)/bin/python -m pip install --quiet -c $< "label-studio==$(LABEL_STUDIO_VERSION)"
	@touch $@

readers: $(READERS_STAMP)  ## what people train with and load releases with, in its own environment, for tests

$(READERS_STAMP):
	@echo "Setting up $(READERS) (a few minutes the first time)"
	@rm -f $(READERS)/.installed*
	@test -x $(READERS)/bin/python || $(PYTHON) -m venv $(READERS)
	@$(READERS)/bin/python -m pip install --quiet -c deploy/readers-constraints.txt $(READERS_PACKAGES)
	@touch $@

diffsynth: $(DIFFSYNTH)/.installed-$(DIFFSYNTH_VERSION)  ## DiffSynth-Studio in its own environment, for the tests of exports

$(DIFFSYNTH)/.installed-$(DIFFSYNTH_VERSION): deploy/diffsynth-constraints.txt
	@echo "Setting up $(DIFFSYNTH) (a few minutes the first time)"
	@test -x $(DIFFSYNTH)/bin/python || $(PYTHON) -m venv $(DIFFSYNTH)
	@$(DIFFSYNTH)/bin/python -m pip install --quiet -c $< "diffsynth==$(DIFFSYNTH_VERSION)" torch
	@touch $@

fiftyone: $(FIFTYONE)/.installed-$(FIFTYONE_VERSION)  ## FiftyOne in its own environment, for the tests of releases

$(FIFTYONE)/.installed-$(FIFTYONE_VERSION): deploy/fiftyone-constraints.txt
	@echo "Setting up $(FIFTYONE) (a few minutes the first time)"
	@test -x $(FIFTYONE)/bin/python || $(PYTHON) -m venv $(FIFTYONE)
	@$(FIFTYONE)/bin/python -m pip install --quiet -c $< "fiftyone==$(FIFTYONE_VERSION)" mongomock pyarrow
	@touch $@

lint: $(STAMP)  ## style, types, generated reference
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m emovid_assets.pages.reference --check

lock: $(STAMP)  ## write constraints.txt from what is installed
	@echo "# The exact set of packages that is tested. Made from a fresh environment by: make lock" > constraints.txt
	@$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' >> constraints.txt

clean:  ## remove the environment and caches; data/ stays
	rm -rf $(VENV) $(LABEL_STUDIO) $(READERS) $(DIFFSYNTH) $(FIFTYONE) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
