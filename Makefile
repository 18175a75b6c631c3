# Every target makes the environment in .venv first, if it is missing or out of date.
# PYTHON=... names the Python for it (default: the first of the candidates that is 3.11 or newer).

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
	@echo "make demo             set up, then adapt to images, texts and series that come with the project"
	@echo "make test             set up, then run all checks and tests"
	@echo "make setup            make the environment in .venv, and nothing else"
	@echo "make check            lint, types, import layers and names, without tests"
	@echo "make docs             write the reference pages from the code and build the site in build/site"
	@echo "make messages         collect the messages of the report and compile their translations"
	@echo "make golden           write the recorded numbers of the golden tests again"
	@echo "make wheel            build the wheel, and check it in two fresh environments"
	@echo "make hostile          run some 900 hostile inputs (15 minutes)"
	@echo "make bench            run all benchmarks (hours; installs the other tools)"
	@echo "make gains            compare with other tools only; GAINS='--plan' prints how long it takes"
	@echo "make pretrain-series  train the base model for series again, from its seed (half an hour)"
	@echo "make clean            remove the environment and everything that was made here"

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

# A torch that is already in .venv (such as the small CPU build, see README) is kept.
define INSTALL
@have=$$($(BIN)/python -c '$(TORCH)' 2>/dev/null || true); constraints="-c constraints.txt"; \
if [ -n "$$have" ] && ! grep -qx "torch==$$have" constraints.txt; then constraints=""; fi; \
echo "Installing Headstart with $(1) into .venv (the first time takes some minutes)"; \
$(BIN)/python -m pip install --disable-pip-version-check -e '.[$(1)]' $$constraints
@touch $@
endef

$(READY): pyproject.toml constraints.txt | $(BIN)/python
	$(call INSTALL,adapt$(comma)search$(comma)serve$(comma)test)

$(READY_BENCH): $(READY)
	$(call INSTALL,adapt$(comma)search$(comma)serve$(comma)test$(comma)bench)

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
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q
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
	$(BIN)/python benchmarks/labelling.py
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/spans.py measure $(addprefix masakhaner/,hau lug pcm swa yor)
	$(BIN)/python benchmarks/spans.py measure $(addprefix masakhaner/,hau lug pcm swa yor) --sentences 100 --strategy token-blend
	$(BIN)/python benchmarks/spans.py table
	$(BIN)/python benchmarks/language.py
	$(BIN)/python benchmarks/text_aims.py
	$(BIN)/python benchmarks/text_bases.py
	$(BIN)/python benchmarks/class_names.py
	$(BIN)/python benchmarks/text_speed.py
	$(BIN)/python benchmarks/unlabelled_words.py
	$(BIN)/python benchmarks/trust.py
	$(BIN)/python benchmarks/intervals.py
	$(BIN)/python benchmarks/verdict.py
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
	$(BIN)/python benchmarks/series_peers.py
	$(BIN)/python benchmarks/series_memory.py
	$(BIN)/python benchmarks/gains.py $(GAINS)

gains: $(READY_BENCH)
	$(BIN)/python benchmarks/gains.py $(GAINS)

pretrain-series: $(READY)
	$(BIN)/headstart pretrain series --offline -o build/series-encoder

clean:
	rm -rf .venv demo build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
