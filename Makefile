# LSTM from the gates up. `make help` lists what there is.
PYTHON ?= python3
PORT ?= 8000
JOBS ?= 2
# Where PyTorch comes from. On Linux the usual index has the build for NVIDIA cards, which takes gigabytes; PyTorch's own
# index has a small one, which is all the course needs. Empty, as on other systems: the usual index.
TORCH_INDEX ?= $(if $(filter Linux,$(shell uname -s)),https://download.pytorch.org/whl/cpu)
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --doctest-modules
NB ?= $(shell find notebooks -name '*.ipynb' ! -path '*/.ipynb_checkpoints/*' | sort)
BENCH ?= $(patsubst bench_%,%,$(notdir $(basename $(wildcard experiments/bench_*.py))))
# names_and_vowels first: other studies compare with its results.
STUDY ?= names_and_vowels $(filter-out names_and_vowels protocol learning many_seeds bench bench_% ladder rivals alone,\
  $(notdir $(basename $(wildcard experiments/*.py))))

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY_BOOK := $(VENV)/.ready-book
READY := $(VENV)/.ready
READY_TEACH := $(VENV)/.ready-teach
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
INSIDE := _config.yml _toc.yml constraints.txt lstm_tutorial book notebooks experiments
OUTSIDE := tests teaching pyproject.toml Makefile README.md CONTRIBUTING.md CITATION.cff LICENSE

# One number for the names and contents of files: when it is the same, nothing has changed.
fingerprint = find $(1) -type f ! -path '*/.*' ! -path 'book/drawn/*' ! -name '*.pyc' ! -name 'progress*.json' -exec cksum {} + | sort | cksum

# A thread each: on small matrices more threads only wait for one another, and sums keep their order.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1
export MKL_NUM_THREADS = 1
export PYTHONHASHSEED = 0
export PYDEVD_DISABLE_FILE_VALIDATION = 1

.DEFAULT_GOAL := help
.PHONY: help book serve lab test test-fast test-release coverage lint format notebooks studies scale bench figures pdf epub handout assignment links clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

# What it takes to build the book: neither PyTorch nor what only labs and tests need.
$(READY_BOOK): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 book")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo "Making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing what the book needs: about a minute the first time"
	$(PIP) hatchling
	$(PIP) --no-build-isolation -e '.[book]'
	@touch $@

# The rest. If the small build of PyTorch cannot be fetched, the usual index is asked for the ordinary one.
$(READY): $(READY_BOOK)
	@echo "Installing PyTorch, JupyterLab and the tools of the tests: some minutes the first time"
	$(if $(TORCH_INDEX),$(PIP) --no-deps --retries 0 --timeout 10 --index-url $(TORCH_INDEX) torch || \
	  echo "No PyTorch from $(TORCH_INDEX): taking it from the usual index")
	$(PIP) --no-build-isolation -e '.[torch,book,lab,test]'
	@touch $@

# Apart from the rest: the menus of nbgrader would only puzzle those who come to learn.
$(READY_TEACH): $(READY)
	$(PIP) --no-build-isolation -e '.[teach]'
	@touch $@

book: $(READY_BOOK) ## build the book into _build/html
	@now=$$($(call fingerprint,$(INSIDE))); \
	if [ "$$now" = "$$(cat _build/.fingerprint 2>/dev/null)" ]; then echo "Nothing has changed since the last build."; \
	else rm -rf _build && $(BIN)/jupyter-book build . -W -n --keep-going && echo "$$now" > _build/.fingerprint; fi
	@$(BIN)/python -c 'import pathlib; print("Open", pathlib.Path("_build/html/index.html").resolve().as_uri(), "(or run: make serve)")'

serve: book ## build the book and serve it at http://localhost:8000
	$(BIN)/python -m http.server -b localhost -d _build/html $(PORT)

lab: $(READY) ## open JupyterLab on the notebooks
	$(BIN)/jupyter-lab notebooks

test: $(READY) ## run the tests, every notebook among them; FORCE=1 also when nothing has changed
	@now=$$($(call fingerprint,$(INSIDE) $(OUTSIDE))); \
	if [ -z "$(FORCE)" ] && [ "$$now" = "$$(cat $(VENV)/.tested 2>/dev/null)" ]; then \
	  echo "Nothing has changed since all tests passed (make test FORCE=1 runs them again)."; \
	else rm -f $(VENV)/.tested && $(PYTEST) --durations 10 -m "not release" --nbval-lax --nbval-current-env \
	  tests lstm_tutorial notebooks && echo "$$now" > $(VENV)/.tested; fi

test-fast: $(READY) ## run the tests that take no longer than seconds: no notebooks, no book
	$(PYTEST) -m "not slow and not release" tests lstm_tutorial

test-release: $(READY_TEACH) ## run what is slow and rarely breaks: every slip in an exercise, PDF, EPUB, nbgrader, the wheel, every page in a browser
	$(PYTEST) --durations 10 -m release tests

coverage: $(READY) ## say which lines of the package the tests never run
	$(PYTEST) --cov --cov-report term -m "not release" tests lstm_tutorial

lint: $(READY) ## check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## put code into the format that lint asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

notebooks: $(READY) ## run all notebooks again and store clean outputs; NB=path for one
	$(BIN)/python notebooks/run.py $(NB)
	@$(BIN)/nbstripout --keep-output --keep-count --keep-id --extra-keys "metadata.language_info cell.metadata.execution" $(NB)

studies: $(READY) ## run all studies in experiments/ again (long); STUDY=name for one
	@for study in $(STUDY); do echo "experiments/$$study.py"; $(BIN)/python experiments/$$study.py || exit 1; done

scale: $(READY) ## train on two workers, kill, resume, damage and hang; under three minutes
	$(BIN)/python experiments/scale/demo.py

bench: $(READY) ## time the package beside torch, one thread, ratios of CPU time; BENCH=name for one
	@for name in $(BENCH); do $(BIN)/python experiments/bench_$$name.py || exit 1; done

figures: $(READY_BOOK) ## draw the pictures of the prose pages again
	$(BIN)/python book/figures/draw.py

pdf: $(READY_BOOK) ## write the whole book into dist as PDF; needs XeLaTeX
	$(BIN)/python book/paper/build.py pdf

epub: $(READY_BOOK) ## write the whole book into dist as EPUB, for e-readers
	$(BIN)/python book/paper/build.py epub

handout: $(READY) ## pack labs and workbooks for students, no solutions; BOOK=address of the online book
	$(BIN)/python teaching/handout.py $(if $(BOOK),--book $(BOOK))

assignment: $(READY_TEACH) ## make nbgrader assignments of the workbooks in dist/nbgrader; NB=path for one
	$(BIN)/python teaching/assignment.py $(if $(BOOK),--book $(BOOK)) $(filter %.ipynb,$(filter notebooks/exercises/%,$(NB)))

links: $(READY_BOOK) ## try every link to another place; needs the network
	$(BIN)/jupyter-book build . --builder linkcheck

clean: ## remove what make has made, but dist/nbgrader, where submissions may lie
	rm -rf $(VENV) _build book/drawn dist/lstm-handout.zip dist/lstm-from-the-gates-up.* .hypothesis .ruff_cache .coverage* htmlcov
