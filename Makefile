# Every target works from nothing: the environment in .venv is made when it is needed, and left alone when nothing changed.
# PYTHON=... names the Python to make it with (default: the first of these that is 3.11 or newer).

PYTHON ?=
CANDIDATES = $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python)
BIN = .venv/bin
READY = .venv/.ready
READY_BENCH = .venv/.ready-bench
comma = ,
FITS = import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
TORCH = from importlib.metadata import version; print(version("torch").split("+")[0])

.DEFAULT_GOAL = help
.PHONY: help setup demo check test hostile wheel bench gains docs messages golden pretrain-series clean

help:
	@echo "make demo    set up, then adapt to pictures, texts and series that come with the project"
	@echo "make test    set up, then lint, types, layers and all tests"
	@echo "make setup   only the environment, in .venv"
	@echo "make check   lint, types, layers and names"
	@echo "make hostile some 900 hostile inputs: nothing of them may run, reach out, write elsewhere or stall (15 minutes)"
	@echo "make wheel   build the wheel and check it in two fresh environments: a light install, and the demo"
	@echo "make docs    write the reference from the code and build the site in build/site; broken links fail"
	@echo "make messages  collect the messages of the report, and compile its translations"
	@echo "make golden  rewrite the recorded numbers of the golden tests"
	@echo "make bench   measure against the limit and against other tools (long; installs them)"
	@echo "make gains   only the comparison with other tools; GAINS='--plan' says how long, see docs/explanation/benchmarks.md"
	@echo "make pretrain-series  train the series base that comes with Headstart again, from its seed (half an hour)"
	@echo "make clean   remove the environment and everything that was made here"

setup: $(READY)

$(BIN)/python:
	@for python in $(CANDIDATES); do \
		if "$$python" -c '$(FITS)' >/dev/null 2>&1; then \
			echo "Making .venv with $$("$$python" --version)"; exec "$$python" -m venv .venv; \
		fi; \
	done; \
	echo "No Python 3.11 or newer that can make a virtual environment was found (tried: $(CANDIDATES))." >&2; \
	echo "Install one (on Debian and Ubuntu also python3-venv) or name it: make PYTHON=/path/to/python3.12" >&2; \
	exit 1

# A torch of another version that somebody put into .venv first (the small CPU build, see README) is kept.
define INSTALL
@have=$$($(BIN)/python -c '$(TORCH)' 2>/dev/null || true); constraints="-c constraints.txt"; \
if [ -n "$$have" ] && ! grep -qx "torch==$$have" constraints.txt; then constraints=""; fi; \
echo "Installing Headstart with $(1) into .venv (the first time takes some minutes)"; \
$(BIN)/python -m pip install --disable-pip-version-check -e '.[$(1)]' $$constraints
@touch $@
endef

$(READY): pyproject.toml constraints.txt | $(BIN)/python
	$(call INSTALL,adapt$(comma)serve$(comma)test)

$(READY_BENCH): $(READY)
	$(call INSTALL,adapt$(comma)serve$(comma)test$(comma)bench)

demo: $(READY)
	$(BIN)/headstart demo -o demo --time 3m

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/style.py

test: check
	$(BIN)/python -m pytest

hostile: $(READY)
	$(BIN)/python -m tests.hostile

wheel: $(READY)
	rm -rf dist build/wheel
	$(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps -w dist .
	$(BIN)/python tools/check_wheel.py dist/headstart-*.whl build/wheel

docs: $(READY)
	COLUMNS=400 $(BIN)/python tools/reference.py
	$(BIN)/mkdocs build -q
	$(BIN)/python -m pytest tests/test_docs.py

messages: $(READY)
	$(BIN)/python tools/messages.py

golden: $(READY)
	HEADSTART_GOLDEN=write $(BIN)/python -m pytest tests -k golden

bench: $(READY_BENCH)
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/sets.py
	$(BIN)/python benchmarks/learning_curve.py
	$(BIN)/python benchmarks/label_next.py
	$(BIN)/python benchmarks/language.py
	$(BIN)/python benchmarks/text_aims.py
	$(BIN)/python benchmarks/unlabelled_words.py
	$(BIN)/python benchmarks/trust.py
	$(BIN)/python benchmarks/intervals.py
	$(BIN)/python benchmarks/checks.py
	$(BIN)/python benchmarks/audit.py
	$(BIN)/python benchmarks/ranking.py
	$(BIN)/python benchmarks/many.py
	$(BIN)/python benchmarks/tail.py
	$(BIN)/python benchmarks/export.py
	$(BIN)/python benchmarks/serving.py
	$(BIN)/python benchmarks/page.py
	$(BIN)/python benchmarks/serving.py --soak 30
	$(BIN)/python benchmarks/ladder.py potato_leaf corn_leaf masakhanews/eng.csv:8 afrisenti/pcm.csv:20 covid3month:0:regression
	$(BIN)/python benchmarks/series_base.py
	$(BIN)/python benchmarks/series_base.py --tuned 4m --sets ECG200 CBF FaceFour Lightning7 GunPoint SyntheticControl basic_motions
	$(BIN)/python benchmarks/gains.py $(GAINS)

gains: $(READY_BENCH)
	$(BIN)/python benchmarks/gains.py $(GAINS)

pretrain-series: $(READY)
	$(BIN)/headstart pretrain series --offline -o build/series-encoder

clean:
	rm -rf .venv demo build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
