# make demo    sets everything up, runs suites/quickstart.yaml, prints a table and the path of the report
# make test    sets everything up, runs the quick tests
# make check   format, lint, types, import floors, the quick and the slow tests: what CI runs for each change
# make test-all runs all tests, those of the night too
# make coverage measures which lines and branches the quick tests reach; some fifteen minutes
# make gate    measures the shipped adapters and compares them with reports/baselines/ci.json
# make docs    builds the documents as a site, build/docs/index.html; a broken link fails it
# make real    fetches three real pretrained models, runs suites and tests on them; under an hour on two cores
# make scripts checks the types in the report's JavaScript, if npm is installed
# make leaderboard ranks the results in reports/results/ again; make check fails if reports/leaderboard.md is out of date
# make kills   kills 200 runs at random moments, runs them again, and compares with undisturbed ones; some 40 minutes
# make fuzz    tries thousands of spoilt files and hundreds of spoilt models on every command; some 20 minutes
# make fix     formats, and fixes what the linter can
# make bench   runs the benchmarks (rows that are measured already, in .bench/, are kept) and writes benchmarks/results/; make bench-NAME runs one

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM := false

BENCHMARKS := rouge stats honesty judges startup adapters generation likelihoods encoders profile training lora-step end-to-end memory weights scaling quickstart plan report real-models preferences servers gpu

.PHONY: demo test test-all coverage check docs real gate scripts leaderboard kills fuzz fix bench bench-models bench-peers $(BENCHMARKS:%=bench-%)

demo: $(READY)
	$(BIN)/harness run quickstart

test: $(READY)
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow and not nightly" $(ARGS)

test-all: $(READY)
	$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

coverage: $(READY)
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow and not nightly" --cov --cov-report=term:skip-covered $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) docs
	$(MAKE) scripts
	$(MAKE) gate
	$(BIN)/harness leaderboard reports/results -o reports/leaderboard.md --check
	$(BIN)/pytest -n 2 --dist worksteal -m "not nightly" $(ARGS)

docs: $(READY)
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs

gate: $(READY)
	$(BIN)/harness run ci --offline

real: $(READY)
	$(BIN)/python -m tools.real_models smollm2 minilm gemma3
	$(BIN)/harness run benchmarks/suites/real-small.yaml --offline --out reports/results/real-small
	$(BIN)/pytest -n 2 --dist worksteal -m real tests/real $(ARGS)

scripts:
	@if command -v npm >/dev/null; then \
		npm ci --silent --no-audit --no-fund --prefix tests/browser && \
		tests/browser/node_modules/.bin/tsc -p tests/browser && \
		tests/browser/node_modules/.bin/oxlint --deny-warnings --allow no-unused-vars harness/report/templates; \
	else \
		echo "npm is missing: the types in the report's JavaScript are not checked; the browser tests run it all the same"; \
	fi

leaderboard: $(READY)
	$(BIN)/harness leaderboard reports/results -o reports/leaderboard.md

kills: $(READY)
	$(BIN)/python -m tests.run.kills 120 --suite echo --seed 1
	$(BIN)/python -m tests.run.kills 80 --suite real --seed 2

fuzz: $(READY)
	HARNESS_FUZZ_INPUTS=$${HARNESS_FUZZ_INPUTS:-2000} HARNESS_FUZZ_MODELS=$${HARNESS_FUZZ_MODELS:-400} \
		$(BIN)/pytest -n 2 --dist worksteal tests/cli/test_fuzz.py tests/cli/test_model_fuzz.py

fix: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(BENCHMARKS:%=bench-%)

$(BENCHMARKS:%=bench-%): bench-%: $(READY)
	$(BIN)/python -m benchmarks.races.$(subst -,_,$*)

bench-generation bench-profile bench-training bench-end-to-end bench-gpu: bench-peers bench-models

bench-likelihoods bench-encoders bench-real-models bench-preferences: bench-peers

bench-models: $(READY)
	$(BIN)/python -m benchmarks.lib.checkpoints

bench-peers: .bench/peers/.ready

.bench/peers/.ready: benchmarks/peers/requirements.txt constraints.txt
	$(PYTHON) -m venv .bench/peers
	.bench/peers/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r benchmarks/peers/requirements.txt
	@touch $@

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	@echo "setting up $(VENV); the first time takes a few minutes"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
