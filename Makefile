# LSTM from the gates up. `make help` lists what there is.
PYTHON ?= python3
PORT ?= 8000
JOBS ?= 2
# Where pip may look for PyTorch besides its usual index. On Linux, for the small build without CUDA:
#   make book TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
NB ?= $(shell find notebooks -name '*.ipynb' ! -path '*/.ipynb_checkpoints/*' | sort)
BENCH ?= $(patsubst bench_%,%,$(notdir $(basename $(wildcard experiments/bench_*.py))))
STUDY ?= $(filter-out study bench bench_% ladder rivals alone,$(notdir $(basename $(wildcard experiments/*.py))))

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
GRADER := $(VENV)/.grader
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
INSIDE := _config.yml _toc.yml constraints.txt lstm_tutorial book notebooks experiments
OUTSIDE := tests teaching pyproject.toml Makefile README.md CONTRIBUTING.md CITATION.cff LICENSE

# One number for the names and contents of files: when it is the same, nothing has changed.
fingerprint = find $(1) -type f ! -path '*/.*' ! -name '*.pyc' ! -name 'progress*.json' -exec cksum {} + | sort | cksum

# A thread each: on small matrices more threads only wait for one another, and sums keep their order.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1
export MKL_NUM_THREADS = 1
export PYTHONHASHSEED = 0
export PYDEVD_DISABLE_FILE_VALIDATION = 1

.DEFAULT_GOAL := help
.PHONY: help book serve lab test test-fast lint format notebooks studies bench figures pdf epub handout assignment links lighthouse clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 book")'
	@test -x $(BIN)/python || { echo "Making $(VENV)"; $(PYTHON) -m venv $(VENV); } || \
	  { rm -rf $(VENV); echo "python -m venv failed (Debian and Ubuntu: apt install python3-venv)"; exit 1; }
	@echo "Installing PyTorch, then the rest: some minutes the first time"
	$(PIP) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) torch hatchling
	$(PIP) --no-build-isolation -e '.[torch,book,test]'
	@touch $@

# Apart from the rest: its menus would only puzzle those who come to learn.
$(GRADER): $(READY)
	$(PIP) --no-build-isolation -e '.[teach]'
	@touch $@

book: $(READY) ## build the book into _build/html
	@now=$$($(call fingerprint,$(INSIDE))); \
	if [ "$$now" = "$$(cat _build/.fingerprint 2>/dev/null)" ]; then echo "Nothing has changed since the last build."; \
	else rm -rf _build && $(BIN)/jupyter-book build . -W -n --keep-going && echo "$$now" > _build/.fingerprint; fi
	@echo "Open file://$(CURDIR)/_build/html/index.html (or run: make serve)"

serve: book ## build the book and serve it at http://localhost:8000
	$(BIN)/python -m http.server -b localhost -d _build/html $(PORT)

lab: $(READY) ## open JupyterLab on the notebooks
	$(BIN)/jupyter-lab notebooks

test: $(GRADER) ## run all tests; FORCE=1 also when nothing has changed
	@now=$$($(call fingerprint,$(INSIDE) $(OUTSIDE))); \
	if [ -z "$(FORCE)" ] && [ "$$now" = "$$(cat $(VENV)/.tested 2>/dev/null)" ]; then \
	  echo "Nothing has changed since all tests passed (make test FORCE=1 runs them again)."; \
	else rm -f $(VENV)/.tested && $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --durations 10 \
	  --cov --cov-report term --cov-fail-under 95 --doctest-modules --nbval-lax --nbval-current-env \
	  tests lstm_tutorial notebooks && echo "$$now" > $(VENV)/.tested; fi

test-fast: $(READY) ## run the tests that take no longer than seconds: no notebooks, no book
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow" --doctest-modules tests lstm_tutorial

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

bench: $(READY) ## time the package beside torch, one thread, ratios of CPU time; BENCH=name for one
	@for name in $(BENCH); do $(BIN)/python experiments/bench_$$name.py || exit 1; done

figures: $(READY) ## draw the pictures of the prose pages again
	$(BIN)/python book/figures/draw.py

pdf: $(READY) ## write the whole book into dist as PDF; needs XeLaTeX
	$(BIN)/python book/paper/build.py pdf

epub: $(READY) ## write the whole book into dist as EPUB, for e-readers
	$(BIN)/python book/paper/build.py epub

handout: $(READY) ## pack labs and workbooks for students, no solutions; BOOK=address of the online book
	$(BIN)/python teaching/handout.py $(if $(BOOK),--book $(BOOK))

assignment: $(GRADER) ## make nbgrader assignments of the workbooks in dist/nbgrader; NB=path for one
	$(BIN)/python teaching/assignment.py $(if $(BOOK),--book $(BOOK)) $(filter %.ipynb,$(filter notebooks/exercises/%,$(NB)))

links: $(READY) ## try every link to another place; needs the network
	$(BIN)/jupyter-book build . --builder linkcheck

lighthouse: book ## what Lighthouse says of three pages, thrice each; needs Node and, the first time, the network
	$(BIN)/python tests/lighthouse.py _build/html

clean: ## remove what make has made, but dist/nbgrader, where submissions may lie
	rm -rf $(VENV) _build dist/lstm-handout.zip dist/lstm-from-the-gates-up.* .hypothesis .ruff_cache .coverage* htmlcov
