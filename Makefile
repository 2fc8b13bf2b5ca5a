# Ergosphere. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin

.PHONY: help setup lock lint types go-test unit integration e2e chaos test demo run crds docs

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

setup: .venv/.done ## make .venv with the `ergo` command and the development tools

.venv/.done: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ergosphere needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

lock: ## resolve the pinned dependencies anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements-dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements.lock images/agent/requirements.in -o images/agent/requirements.lock

lint: setup ## ruff, import contracts, gofmt and go vet
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --config pyproject.toml
	@test -z "$$(gofmt -l launcher)" || { gofmt -l launcher; exit 1; }
	cd launcher && go vet ./...

types: setup ## mypy, strict
	$(BIN)/mypy

go-test: ## tests of the launcher
	@test "$$(id -u)" = 0 || echo "some tests of the launcher not run: they give files to other users and mount, and need root"
	cd launcher && go test ./...

unit: setup go-test ## tests without I/O, and the launcher's
	$(BIN)/pytest tests/unit $(ARGS)

integration: setup ## the operator against a real etcd and kube-apiserver
	$(BIN)/pytest tests/integration $(ARGS)

e2e: setup ## the whole system on a real cluster (needs root); ARGS="-k drain" runs a part
	$(BIN)/pytest e2e $(ARGS)

chaos: export ERGO_CHAOS_SECONDS ?= 600
chaos: setup ## ten minutes of random faults on a real cluster; ERGO_CHAOS_SEED=... replays them (needs root)
	$(BIN)/pytest e2e/test_survival.py -s $(ARGS)

# One pytest run, so that its summary is the last line and covers everything.
TESTS := tests/unit tests/integration $(if $(filter 0,$(shell id -u)),e2e)

test: lint types go-test ## everything that this machine can run
	@test "$$(id -u)" = 0 || echo "e2e not run: it makes network namespaces and mounts, and needs root"
	$(BIN)/pytest $(TESTS) $(ARGS)

demo: setup ## move a training job between the nodes of a cluster made for it (needs root); KEEP=1 keeps the cluster
	@PYTHONPATH=e2e $(BIN)/python -m demo

crds: setup ## render crds/ and the chart's copy from the models
	$(BIN)/python -m ergosphere.api.render crds charts/ergosphere/files/crds

docs: setup ## render docs/values.md from the chart and docs/cli.md from `ergo`
	$(BIN)/python charts/values_table.py > docs/values.md
	$(BIN)/typer ergosphere.cli.main utils docs --name ergo --output docs/cli.md

run: export ERGO_AGENT_IMAGE ?= ergosphere.dev/agent:dev
run: export ERGO_STORE_HOSTPATH ?= /var/lib/ergosphere/store
run: setup ## run the operator here, against the cluster of the current kubeconfig (it must route to pods)
	@kubectl get namespace ergosphere-system >/dev/null 2>&1 || kubectl create namespace ergosphere-system
	@ERGO_TIERS="$${ERGO_TIERS-$$($(BIN)/python charts/default_tiers.py)}" $(BIN)/python -m ergosphere.controller

include e2e/cluster/cluster.mk
-include bench/*/*.mk
