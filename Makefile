# Developer commands. All that is needed is make and Python 3.11 or newer with venv; the rest is pinned in
# requirements.lock and installed into .venv. A second call of anything installs nothing.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.installed
WORKERS ?= 2

export UV_LINK_MODE := copy
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE # some images set it; without caches every start is twice as slow

.PHONY: help demo check test full browser docs words scenarios experiments fingerprints lock clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 21

demo: $(READY) ## from nothing installed to a comparison of a tea house's strategies
	$(BIN)/wxsim compare scenarios/triangle.yaml --report

check: $(READY) ## lint, types, architecture and fast tests, in about a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal --hypothesis-profile quick -m "not slow and not full and not browser"

test: $(READY) ## all tests but the longest
	$(BIN)/python -m pytest -n $(WORKERS)

full: $(READY) ## all tests
	$(BIN)/python -m pytest -n $(WORKERS) -m ""

browser: $(READY) ## pages in Chromium, screenshots in build/pictures (apt install chromium fonts-wqy-microhei)
	$(BIN)/pip install --quiet --require-hashes -r tests/browser/requirements.txt
	$(BIN)/python -m pytest -m browser tests/browser

docs: $(READY) ## the pages of docs/model, from the mechanisms themselves
	$(BIN)/python docs/generate.py

experiments: $(READY) ## the answers of experiments/: what is missing of each study is run, up to half an hour
	$(BIN)/python -m docs.experiments

words: $(READY) ## what is said to users, into the catalogues of translations (sim/words/)
	$(BIN)/python -m docs.words

scenarios: $(READY) ## the pages of docs/scenarios: every shipped scenario at its full size, about ten minutes
	$(BIN)/python -m docs.scenarios

fingerprints: $(READY) ## what shipped scenarios do, moved in the name of a new changelog entry
	$(BIN)/python -m tests.fingerprints.move

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "wxsim needs Python 3.11 or newer; on Debian: apt install python3 python3-venv" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv || { rm -rf .venv; \
		echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }
	@echo "Installing what requirements.lock names into .venv ..."
	@$(BIN)/pip install --quiet uv || echo "uv is not to be had; plain pip does it, more slowly"
	@test -x $(BIN)/uv && $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock \
		|| $(BIN)/pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

# The lock holds for every Python from 3.11 and every platform, with the hash of each file, and names no registry:
# whoever installs chooses the registry, the hashes say whether it told the truth.
lock: $(READY) ## resolve the dependencies anew
	@{ sed '/^#/!q' requirements.lock | sed '/^#/!d'; \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--extra test --extra fast --no-header --no-emit-index-url --no-emit-find-links pyproject.toml; } > .venv/lock
	@! grep -n '://' .venv/lock
	@mv .venv/lock requirements.lock

clean: ## what can be made again (never runs/)
	rm -rf .venv .stamps .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
