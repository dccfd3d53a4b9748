# Two commands for a fresh machine: `make demo` and `make test`. The README has the same lines without make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Elsewhere than on the CPU-only machines of the project `torch==2.13.0` is the CUDA build (gigabytes). For the CPU
# build: make test PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_ARGS ?=
# Triton's Python back end comes for single patch versions of Python: Debian 12's 3.11 is one of them.
TRITON ?= .venv-triton
TRITON_PYTHON ?= /usr/bin/python3
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt
ARGS ?=

.PHONY: demo test test-long test-browser test-frameworks test-napari test-triton test-slow fuzz lint types format bench bench-gpu packages clean help

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /: /'

demo: $(VENV)/.demo  ## Install, and run the demo on Micro-Manager's demo camera (ARGS="--frames 200")
	$(BIN)/onscope demo $(ARGS)

test: $(VENV)/.dev lint types  ## Install for development, and run linters, type checker and the tests of less than two seconds each
	$(call two_at_a_time,not long and not slow)

test-long: $(VENV)/.dev  ## The tests of two seconds and more
	$(call two_at_a_time,long and not slow)

test-frameworks: $(VENV)/.frameworks  ## Install TensorFlow, Keras, CSBDeep and StarDist (2 GB), and test exporting from them
	@# a process of their own: TensorFlow and torch do not get along in one
	$(BIN)/python -m tests.once_more tests/frameworks $(ARGS)

test-browser: $(VENV)/.browser  ## Look at the live view's page in a browser (chromium is installed where this may be done)
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || test -n "$$ONSCOPE_CHROMIUM" \
		|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; } \
		|| { echo "chromium is missing: install it (sudo apt-get install chromium), or name one in ONSCOPE_CHROMIUM"; exit 1; }
	$(BIN)/python -m tests.once_more tests/browser $(ARGS)

test-napari: $(VENV)/.napari  ## Install napari and Qt, and test onscope in napari and in notebooks
	@# a process of their own: Qt stays in it; where there is no display, run this under xvfb-run
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.once_more tests/view/notebook tests/view/napari $(ARGS)

test-triton: $(VENV)/.dev $(TRITON)/.made  ## Install NVIDIA's Triton for Debian's Python (Linux, x86-64), and test what it serves
	ONSCOPE_TRITON=$(TRITON) $(BIN)/python -m tests.once_more tests/triton $(ARGS)

test-slow: $(VENV)/.dev  ## The tests that take much longer (an hour and a half)
	$(BIN)/python -m pytest -m slow $(TORCH) $(ARGS)
	$(BIN)/python -m pytest -m slow $(APART:%=--ignore=%) $(TORCH:%=--ignore=%) $(ARGS)

fuzz: $(VENV)/.fuzz  ## Fuzz what may come over the wire between PC and GPU box (ARGS="-max_total_time=60", of each of five harnesses)
	$(BIN)/python -m tests.remote.fuzz $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

format: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev  ## Measure the live path (ARGS="--quick")
	$(BIN)/python -m benchmarks $(ARGS)

bench-gpu: $(VENV)/.dev  ## Measure what a GPU's engine costs beside its kernels (ARGS="--quick"; without a GPU a stand-in is measured)
	$(BIN)/python -m benchmarks.gpu $(ARGS)

# Two files at a time: tests that use torch and start no camera, those that start cameras and use no torch, and all others.
# torch and a camera that reads out do not get along in one process; with more cameras in one, native code ended it once (a
# mutex that was gone), and the rest hung.
TWO := $(BIN)/python -m tests.once_more -n 2 --dist loadfile
define two_at_a_time
	$(TWO) -m "$(1)" $(TORCH) $(ARGS)
	$(TWO) -m "$(1)" $(CAMERAS) $(ARGS)
	$(TWO) -m "$(1)" $(APART:%=--ignore=%) $(TORCH:%=--ignore=%) $(CAMERAS:%=--ignore=%) $(ARGS)
endef
TORCH := tests/crops tests/export tests/gpu tests/graph tests/objects tests/package tests/specimen tests/serving tests/tensorrt tests/track \
	tests/zoo $(addprefix tests/feedback/,aim dose gate journal notify rehearse rules) \
	$(addprefix tests/benchmarks/,test_gpu_peers.py test_labels.py test_lineage.py test_precision.py)
CAMERAS := tests/cli tests/drivers tests/record $(addprefix tests/live/,test_aligned.py test_exact_replay.py \
	test_linked.py test_parameters.py test_recorded.py test_trust.py)
# With targets of their own.
APART := tests/browser tests/frameworks tests/triton tests/view/napari

TRAIN := $(BIN)/python -m onscope.export.zoo.train
packages: $(VENV)/.dev  ## Train and export the shipped packages again into packages-new (two hours on two cores)
	$(TRAIN) care --out packages-new/weights
	$(TRAIN) espcn --out packages-new/weights
	$(TRAIN) spots --out packages-new/first
	$(TRAIN) spots --out packages-new/weights --start packages-new/first/spots.pt --seed 2 --steps 700 --learning-rate 0.001
	$(TRAIN) nuclei --out packages-new/weights --learning-rate 0.002
	$(TRAIN) mitosis --out packages-new/first --learning-rate 0.002
	$(TRAIN) mitosis --out packages-new/weights --start packages-new/first/mitosis.pt --seed 2 --steps 6500 --learning-rate 0.0015
	$(BIN)/python -m onscope.export.zoo.package packages-new/weights --out packages-new/packages

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing onscope and Micro-Manager's demo devices into $(VENV) (about a minute)"
	$(PIP) -e ".[demo]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing onscope for development into $(VENV) (a few minutes)"
	$(PIP) -e ".[dev]"
	@touch $@ $(VENV)/.demo

$(VENV)/.frameworks: $(VENV)/.dev
	@echo "Installing TensorFlow, Keras, CSBDeep and StarDist into $(VENV) (a few minutes)"
	$(PIP) -e ".[dev,frameworks,oracles]"
	@# N2V's own models are compared with. It asks for an older csbdeep, which Keras 3 does not know, and runs with this one
	$(PIP) --no-deps n2v
	@touch $@

$(VENV)/.browser: $(VENV)/.dev
	@echo "Installing what drives a browser into $(VENV)"
	$(PIP) -e ".[dev,browser]"
	@touch $@

$(TRITON)/.made:
	@echo "Installing Triton (nvidia-pytriton) for $(TRITON_PYTHON) into $(TRITON)"
	$(TRITON_PYTHON) -m venv $(TRITON)
	$(TRITON)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) nvidia-pytriton==0.7.0 "numpy<2" \
		$$(grep '^onnxruntime==' constraints.txt)
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev
	@echo "Installing what fuzzes into $(VENV)"
	$(PIP) -e ".[dev,fuzz]"
	@touch $@

$(VENV)/.napari: $(VENV)/.dev
	@echo "Installing napari and Qt into $(VENV) (a few minutes)"
	$(PIP) -e ".[dev,napari]" "PySide6-Essentials>=6.8,<6.12"
	@touch $@

clean:  ## Remove the environment and what tools left
	rm -rf $(VENV) $(TRITON) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .fuzz dist
