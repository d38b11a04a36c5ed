# Every command of the project, one target each. How each works is in scripts/, demo/ and tests/.
#
# PG=16 chooses PostgreSQL's major version; by default it is 15, or what the machine's distribution has.

PG ?=
export PG

.NOTPARALLEL:
.PHONY: help setup setup-test build demo test lint bench reference replay install package stop clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what building and running need, where it is missing
	@scripts/setup.sh

setup-test:
	@scripts/setup.sh test

build: setup ## build the extension into the private PostgreSQL under build/
	@scripts/build.sh

demo: ## set up, build, and see the product's story in a private database
	@demo/run

test: setup-test ## every test, in order, up to the first that fails (STEP=regress: only that)
	@scripts/test.sh

lint: setup-test ## formatting, clippy, shellcheck, ruff, and sizes of lines, files and folders
	@STEP=lint scripts/test.sh

bench: setup-test build ## speed beside a floor and hand-written PL/pgSQL (CASE=… chooses)
	@scripts/cluster.sh with bench -c max_connections=100 -c shared_buffers=256MB -- tests/bench/run

reference: setup build ## write docs/reference from the comments on functions, views and columns
	@scripts/cluster.sh with reference -- scripts/reference.sh

replay: ## replay a usage trace of your own on the demo's server (CSV=file.csv, ARGS='--help')
	@test -n "$(CSV)$(ARGS)" || { echo "make replay CSV=file.csv"; exit 2; }
	@scripts/setup.sh test
	@scripts/build.sh
	@scripts/cluster.sh start demo
	@scripts/cluster.sh run demo -- tests/replay/replay $(ARGS) $(if $(CSV),"$(CSV)")

install: ## install into the machine's own PostgreSQL (PG_CONFIG=… says which)
	@scripts/setup.sh machine
	@scripts/build.sh machine

package: ## the files that make install installs, as an archive in build/package (PG_CONFIG=… says for which)
	@scripts/setup.sh machine
	@scripts/build.sh package

stop: ## stop the private servers
	@scripts/cluster.sh stop

clean: stop ## delete everything that was made, private servers and their data included
	@if [ -s build/place ] && [ "$$(cat "$$(cat build/place)/clone")" = "$(CURDIR)" ]; then rm -rf "$$(cat build/place)"; fi
	@rm -rf build
