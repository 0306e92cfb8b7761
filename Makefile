# Every target makes the virtual environment it needs and installs into it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test test-oldest test-sdv lint docs examples reproduce reproduce-quick \
	bench clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,docs]'
	touch $@

demo: $(VENV)/installed  ## find, score and draw the factors of a credit table
	$(BIN)/python examples/discover_credit_factors.py

test: $(VENV)/installed  ## the whole test suite, doctests included
	SCIPY_ARRAY_API=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q

# The oldest versions that pyproject.toml promises, as far as this Python has them.
$(VENV)-oldest/installed: pyproject.toml constraints.txt constraints-oldest.txt
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --quiet --upgrade pip
	$(VENV)-oldest/bin/python -m pip install --quiet -c constraints.txt \
		-c constraints-oldest.txt -e . pytest pytest-xdist hypothesis numpydoc
	touch $@

test-oldest: $(VENV)-oldest/installed  ## the tests on the oldest supported versions
	SCIPY_ARRAY_API=1 OMP_NUM_THREADS=1 $(VENV)-oldest/bin/python -m pytest -n 2 \
		--dist worksteal -q tests/models tests/tables tests/selection

# SDV's packages, which ask for an older pandas.
$(VENV)-sdv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)-sdv
	$(VENV)-sdv/bin/python -m pip install --quiet --upgrade pip
	$(VENV)-sdv/bin/python -m pip install --quiet -c constraints.txt -e '.[sdv,parquet]' \
		pytest
	touch $@

test-sdv: $(VENV)-sdv/installed  ## the tests against SDV and SDMetrics
	OMP_NUM_THREADS=1 $(VENV)-sdv/bin/python -m pytest -q tests/integrations \
		tests/metrics/test_fidelity_against_sdmetrics.py skvae/integrations \
		docs/integrations.rst

lint: $(VENV)/installed  ## format, style, import contracts, docstrings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python docs/validate_docstrings.py

docs: $(VENV)/installed  ## the documentation with its examples, warnings as errors, links checked
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	$(BIN)/python docs/check_links.py docs/_build/html

examples: $(VENV)/installed  ## every example, as a script
	for example in examples/*.py; do $(BIN)/python $$example || exit 1; done

reproduce: $(VENV)/installed  ## the two papers' tables (three seeds, a night each; goes on where it was)
	$(BIN)/python benchmarks/reproduce all

reproduce-quick: $(VENV)/installed  ## the same on little data, nothing kept
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/reproduce all --quick

bench: $(VENV)/installed  ## the benchmarks, into benchmarks/results (about ten hours)
	$(BIN)/python benchmarks/epoch_speed.py
	$(BIN)/python benchmarks/family_speed.py
	$(BIN)/python benchmarks/family_disentanglement.py
	$(BIN)/python benchmarks/relevance.py
	$(BIN)/python benchmarks/choosing.py
	$(BIN)/python benchmarks/recovered_factors.py
	$(BIN)/python benchmarks/metric_rows.py
	$(BIN)/python benchmarks/metric_speed.py
	$(BIN)/python benchmarks/binarised_mnist.py
	$(BIN)/python benchmarks/multi_stage.py
	$(BIN)/python benchmarks/multi_stage_images.py
	$(BIN)/python benchmarks/recession.py
	$(BIN)/python benchmarks/anomaly_tables.py
	$(BIN)/python benchmarks/anomaly_images.py
	$(BIN)/python benchmarks/anomaly_images.py --train 20000 --models dCVAE 5-NN Gaussians
	$(BIN)/python benchmarks/anomaly_speed.py
	$(BIN)/python benchmarks/generation.py
	$(BIN)/python benchmarks/generation_speed.py
	$(BIN)/python benchmarks/generation_privacy.py
	$(BIN)/python benchmarks/generation_latents.py
	$(BIN)/python benchmarks/imputation.py
	$(BIN)/python benchmarks/table_speed.py
	$(BIN)/python benchmarks/inference_speed.py
	$(BIN)/python benchmarks/table_stream.py
	$(BIN)/python benchmarks/search_processes.py
	$(BIN)/python benchmarks/credit_factors.py
	$(BIN)/python benchmarks/thesis_setting.py

clean:
	rm -rf $(VENV) $(VENV)-oldest $(VENV)-sdv docs/_build docs/generated docs/gallery output
