# Everything that is done here by hand has a target: run `make` for the list.
# Written for GNU make 3.81 and later, so that macOS's own will do.

PYTHON ?= python3
# Not taken from the environment: some shells export HOST as this machine's name.
HOST = 127.0.0.1
PORT ?= 8000

CORPUS ?= ../shared/corpus
# A model of your own: `make new NAME=german DATA=~/speech LANGUAGE=de` lays it out in runs/NAME; train,
# export, calibrate, evaluate and serve then need NAME alone. The finished model is in models/NAME.
NAME ?=
DATA ?=
LANGUAGE ?=
ENCODER ?=
NEW_ARGS ?=
# Plain texts in its language.
TEXT ?=
STAGES = $(sort $(wildcard runs/$(NAME)/stage-*.toml))
CONFIG ?= $(if $(NAME),$(STAGES),training/configs/english-characters.toml)
TRAINED = $(wildcard $(addsuffix /best.pt,$(basename $(STAGES))))
CHECKPOINT ?= $(if $(NAME),$(or $(lastword $(TRAINED)),runs/$(NAME)/stage-1/best.pt),runs/english-characters/best.pt)
START ?=
# That share a run. By default one, with a thread for each processor.
PROCESSES ?=
MODEL ?= models/$(or $(NAME),english)/model.int8.onnx
LM ?=
# Scored beside the model: pocketsphinx, and whisper:NAME, a name or folder of faster-whisper's.
PEERS ?= pocketsphinx
MANIFESTS ?= $(if $(NAME),runs/$(NAME)/dev.jsonl,$(wildcard $(CORPUS)/*/dev.jsonl))
PYTEST_ARGS ?=
LOCK_ARGS ?=
DECODES ?= 100000
FUZZ_ARGS ?=
ATTACK_ARGS ?=
DEPLOYMENT_ARGS ?= --key-file secrets/api_keys

DEV = .venv-dev
SERVICE = .venv-service
# Each test runs in one environment: these where torch, linters and a browser's driver are, all
# others where there is no torch.
DEV_TESTS = tests/training tests/onnx_export tests/page tests/bulk tests/contract/test_boundaries.py
# One thread for matrices in each process: with several processes, more would only get in the way.
# What librosa compiles for a few calls is not worth optimising.
TEST_VARIABLES = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_OPT=0
PYTEST = -m pytest --numprocesses=logical --maxprocesses=4 --dist=worksteal
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
# Where a model's exact form is written: beside the checkpoint, or where NAME says.
EXPORTED = $(if $(NAME),models/$(NAME)/,$(dir $(CHECKPOINT)))model.onnx
IF_LM = $(patsubst %,--lm %,$(LM))

.PHONY: help serve test test-quick test-dev test-service check check-format check-lint check-types \
	check-boundaries format new train export int8 calibrate tune lm evaluate bench tour tour-check \
	configuration lock fuzz attack deployment-test clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  variables, as in \`make serve PORT=9000\`: PYTHON HOST PORT NAME DATA LANGUAGE ENCODER NEW_ARGS TEXT"
	@echo "  CORPUS CONFIG START PROCESSES CHECKPOINT MODEL LM MANIFESTS PEERS PYTEST_ARGS LOCK_ARGS DECODES FUZZ_ARGS ATTACK_ARGS DEPLOYMENT_ARGS"

serve: $(SERVICE)/.service-installed ## Start the service (installs it on the first run): NAME or MODEL
	$(if $(NAME)$(filter command%,$(origin MODEL)),OTOSCOPE_MODEL_PATH=$(MODEL)) $(SERVICE)/bin/python -m service --host $(HOST) --port $(PORT)

test: test-service test-dev ## Run all tests, each in the environment that it is about

test-quick: SELECTED = -m "not slow"
test-quick: test ## Run the tests that take less than about 2 seconds each

test-dev: $(DEV)/.installed
	@echo "== training, export, page and boundaries =="
	$(TEST_VARIABLES) $(DEV)/bin/python $(PYTEST) $(DEV_TESTS) $(SELECTED) $(PYTEST_ARGS)

test-service: $(SERVICE)/.tests-installed
	@echo "== library and service, where there is no torch =="
	@$(SERVICE)/bin/python -c 'import importlib.util as u, sys; \
	  sys.exit("expected no torch in $(SERVICE): remove that folder" if u.find_spec("torch") else 0)'
	$(TEST_VARIABLES) $(SERVICE)/bin/python $(PYTEST) $(patsubst %,--ignore=%,$(DEV_TESTS)) $(SELECTED) $(PYTEST_ARGS)

check: check-format check-lint check-types check-boundaries ## Format, lint, types and boundaries

check-format: $(DEV)/.installed
	$(DEV)/bin/ruff format --check .

check-lint: $(DEV)/.installed
	$(DEV)/bin/ruff check .

check-types: $(DEV)/.installed
	$(DEV)/bin/mypy

check-boundaries: $(DEV)/.installed
	$(DEV)/bin/lint-imports

format: $(DEV)/.installed ## Format the code and mend what ruff can mend
	$(DEV)/bin/ruff format .
	$(DEV)/bin/ruff check --fix .

new: $(DEV)/.installed ## Look at recordings and lay out a model: NAME, DATA, LANGUAGE, ENCODER or START, NEW_ARGS
	$(DEV)/bin/python -m training new $(NAME) --data $(DATA) --language $(LANGUAGE) \
	  $(patsubst %,--encoder %,$(ENCODER)) $(patsubst %,--start %,$(START)) $(NEW_ARGS)

train: $(DEV)/.installed ## Train a model: NAME; or CONFIG, CORPUS; START: the weights of another; PROCESSES
	$(DEV)/bin/$(if $(PROCESSES),torchrun --nproc-per-node $(PROCESSES) -m --,python -m) training fit $(CONFIG) $(if $(NAME),,--corpus $(CORPUS)) \
	  $(patsubst %,--start %,$(START))

export: MODEL = $(EXPORTED)
export: $(DEV)/.installed ## Turn a checkpoint into ONNX, exact and in 8 bits: NAME, or CHECKPOINT, MODEL
	$(DEV)/bin/python -m onnx_export $(CHECKPOINT) --out $(MODEL) \
	  $(patsubst %,--speech %,$(wildcard examples/sample.flac))
	$(DEV)/bin/python -m onnx_export.int8 $(MODEL)

int8: MODEL = $(EXPORTED)
int8: $(DEV)/.installed ## Write a model with 8-bit weights beside it: MODEL
	$(DEV)/bin/python -m onnx_export.int8 $(MODEL)

calibrate: $(DEV)/.installed ## Fit what confidences mean: NAME, or MODEL, LM, MANIFESTS
	$(DEV)/bin/python -m training calibrate --model $(MODEL) $(IF_LM) $(MANIFESTS)

tune: $(DEV)/.installed ## Find the search's options that suit a model and its LM: NAME, or MODEL, LM, MANIFESTS
	$(DEV)/bin/python -m training tune --model $(MODEL) $(IF_LM) $(MANIFESTS)

lm: $(DEV)/.installed ## Estimate a language model, and what suits a search with it: NAME, TEXT
	@test -n "$(NAME)" || { echo "expected NAME, of a model that \`make new\` laid out; got none"; exit 2; }
	$(DEV)/bin/python -m training lm --model $(MODEL) $(if $(TEXT),--text $(TEXT)) \
	  --manifests runs/$(NAME)/train.jsonl --dev $(MANIFESTS)
	$(DEV)/bin/python -m training calibrate --model $(MODEL) $(MANIFESTS)
	$(DEV)/bin/python -m training tune --model $(MODEL) $(MANIFESTS)

evaluate: $(DEV)/.installed ## Score a model and PEERS: NAME, or MODEL, LM, MANIFESTS (CORPUS's dev.jsonl)
	@test -n "$(strip $(MANIFESTS))" || \
	  { echo "no manifests: there is no $(CORPUS)/*/dev.jsonl; set MANIFESTS or CORPUS"; exit 2; }
	@$(if $(findstring whisper:,$(PEERS)),$(DEV)/bin/python $(PIP_INSTALL) --editable ".[peers]")
	$(DEV)/bin/python -m training evaluate $(MANIFESTS) --model $(MODEL) $(IF_LM) --beside \
	  --peers $(PEERS)

bench: $(DEV)/.installed ## Measure speed on this machine: MODEL, CORPUS
	$(DEV)/bin/python -m benchmarks --model $(MODEL) --speech $(CORPUS)/librispeech/dev.jsonl

tour: $(DEV)/.installed ## Write the answers in README and docs/ as the service gives them now
	$(DEV)/bin/python tests/contract/make_tour.py

tour-check: $(DEV)/.installed ## Before a release: is every answer in the docs what the service gives?
	$(DEV)/bin/python tests/contract/make_tour.py --check

configuration: $(DEV)/.installed ## Write docs/configuration.md and the keys in docs/training.md
	PYTHONPATH=. $(DEV)/bin/python tests/contract/make_configuration.py
	PYTHONPATH=. $(DEV)/bin/python tests/contract/make_training_keys.py

# torch comes without hashes: its builds for CPUs and for CUDA share a version.
LOCK = $(DEV)/bin/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 \
	--python-platform linux pyproject.toml

lock: $(DEV)/.installed ## Pin what goes into the images (LOCK_ARGS=--upgrade: the newest)
	$(LOCK) --extra service --output-file docker/service/requirements.txt $(LOCK_ARGS)
	$(LOCK) --extra training --no-emit-package torch \
	  --output-file docker/training/requirements.txt $(LOCK_ARGS)

fuzz: $(DEV)/.installed ## Decode damaged files: DECODES=100000, FUZZ_ARGS
	$(DEV)/bin/python tests/fuzz/audio.py --decodes $(DECODES) $(FUZZ_ARGS)

attack: $(DEV)/.installed ## Attack a service that this starts, and print what became of it: ATTACK_ARGS
	$(DEV)/bin/python tests/attack/attack.py $(ATTACK_ARGS)

deployment-test: $(DEV)/.installed ## Disturb a compose project that is up, and count: DEPLOYMENT_ARGS
	$(DEV)/bin/python tests/deployment/prove.py $(DEPLOYMENT_ARGS)

clean: ## Remove caches and build outputs (environments, runs and models stay)
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache .coverage
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +

# Environments. A stamp says that an installation is complete; a newer pyproject.toml repeats it.

$(SERVICE)/.service-installed: pyproject.toml
	@$(call make_environment,$(SERVICE))
	@echo "installing the service into $(SERVICE): about 400 MB and a minute, this once ..."
	@$(SERVICE)/bin/python $(PIP_INSTALL) --editable '.[service]'
	@touch $@

$(SERVICE)/.tests-installed: $(SERVICE)/.service-installed
	@echo "installing the test tools into $(SERVICE) ..."
	@$(SERVICE)/bin/python $(PIP_INSTALL) --editable '.[service,test]'
	@touch $@

$(DEV)/.installed: pyproject.toml
	@$(call make_environment,$(DEV))
	@echo "installing everything, torch included, into $(DEV): a few minutes, this once ..."
	@# Few of its 20,000 modules are ever imported, and are compiled then.
	@$(DEV)/bin/python $(PIP_INSTALL) --no-compile --editable '.[dev]'
	@touch $@

define make_environment
command -v $(PYTHON) >/dev/null || \
  { echo "expected Python 3.11 or later, found no $(PYTHON): set PYTHON=/path/to/python"; exit 1; }; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
  { echo "expected Python 3.11 or later, got `$(PYTHON) --version 2>&1 | head -n 1`: set PYTHON=python3.11"; \
    exit 1; }; \
$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
  { echo "this Python lacks venv; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }; \
test -x $(1)/bin/python || { echo "making $(1) with `$(PYTHON) --version`"; $(PYTHON) -m venv $(1); }
endef
