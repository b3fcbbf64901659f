# `make demo` and `make test` do everything. Both first create .venv from python3 (3.11 or newer).

PYTHON ?= python3
BIN := .venv/bin
# Bytecode is compiled during installation, so that the first start of a worker process is as fast as the next ones.
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode
LOCKS := functions/requirements.txt requirements/local.txt requirements/dev.txt requirements/bootstrap.txt \
	requirements/cdk.txt

# Bytecode is kept even where the environment says otherwise, as container images do: the commands start many processes,
# and each would compile the project again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo local test suite trust load fuzz check bench docs pictures catalogue networks format lock dist package sbom
.PHONY: clean help
.DEFAULT_GOAL := help

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/local.stamp ## Create .venv with the prewarm command in it
	@echo "The command is $(CURDIR)/$(BIN)/prewarm"

demo: .venv/local.stamp ## Warm a site on this machine: the embedded stack and a simulated CloudFront
	@$(BIN)/prewarm demo

local: .venv/local.stamp ## Serve the API on this machine; DISTRIBUTION=d111abc.cloudfront.net=www.example.com
	@$(BIN)/prewarm local $(addprefix --distribution ,$(DISTRIBUTION))

test: .venv/dev.stamp ## Lint, check types, run all tests, check coverage
	@$(MAKE) --no-print-directory --jobs 2 check suite

# Three processes, also on two cores: the tests of the whole service wait for a third of their time.
suite: .venv/dev.stamp
	@echo "Running the tests ..."
	@$(BIN)/python -m pytest --quiet --numprocesses 3 --dist loadgroup --cov --cov-report term $(ARGS)

trust: .venv/dev.stamp ## Run the fault matrix, and write its figures into docs/reliability.md (10 to 15 minutes)
	@$(BIN)/python -m tests.trust --seeds 1 --record $(ARGS)

check: .venv/dev.stamp ## Lint and check types only
	@echo "Linting and checking types ..."
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy

bench: .venv/dev.stamp ## Run the benchmarks and write docs/performance.md (minutes, on two idle cores); ARGS='--only warm'
	@$(BIN)/python -m bench $(ARGS)

load: .venv/dev.stamp ## Measure 50 polled runs and a million targets; ARGS='--page docs/reliability.md'
	@$(BIN)/python -m bench.load $(ARGS)

fuzz: .venv/dev.stamp ## Feed bad input for ten minutes a target; ARGS='--page docs/reliability.md'
	@$(BIN)/python -m tests.fuzz --seconds 600 $(ARGS)

docs: .venv/dev.stamp ## Generate docs from the code: OpenAPI, the report's schema, the command's reference
	@$(BIN)/python -m tools.openapi
	@$(BIN)/python -m tools.cli_reference

pictures: .venv/dev.stamp ## Take the screenshots of docs/images again (half a minute; needs chromium)
	@$(BIN)/python -m tools.screenshots

catalogue: .venv/dev.stamp ## Query DNS for new POPs; ARGS='--distribution d111abc.cloudfront.net' (one you own)
	@$(BIN)/python -m tools.refresh_catalogue pops $(ARGS)

networks: .venv/dev.stamp ## Download CloudFront's networks from AWS's ip-ranges.json
	@$(BIN)/python -m tools.refresh_catalogue networks $(ARGS)

dist: .venv/local.stamp ## Build the wheel and the source archive into dist/
	@$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python --out-dir dist

package: .venv/dev.stamp ## Upload code and template to BUCKET, for CloudFormation, Terraform and CDK; BUCKET=name
	@$(BIN)/python -m tools.package "$(BUCKET)" $(ARGS)

sbom: .venv/local.stamp ## Write dist/sbom.json (CycloneDX) and dist/licences.csv of what ships to Lambda
	@$(BIN)/python -m tools.sbom

format: .venv/dev.stamp ## Format the code and apply ruff's safe fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: .venv/dev.stamp ## Lock the newest versions that the *.in files allow, with hashes
	@cd requirements && rm -f $(addprefix ../,$(LOCKS))
	@for name in requirements/dev requirements/local functions/requirements requirements/bootstrap requirements/cdk; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-annotate --no-header $$(test -s requirements/dev.txt && echo "-c requirements/dev.txt") \
	    $$name.in --output-file $$name.txt || exit 1; \
	done

clean: ## Remove everything that these commands created
	@rm -rf .venv .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage build dist

.venv/bootstrap.stamp: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3.13"; exit 1; }
	@echo "Creating a virtual environment in .venv (once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

.venv/local.stamp: .venv/bootstrap.stamp requirements/local.txt pyproject.toml
	@echo "Installing the dependencies of the embedded stack (once) ..."
	@$(INSTALL) --require-hashes -r requirements/local.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: .venv/bootstrap.stamp requirements/dev.txt pyproject.toml
	@echo "Installing the dependencies of the tests (once) ..."
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ .venv/local.stamp
