# One verb each; the work is in scripts/, which the Dockerfile calls too.
# A second run is fast: setup is remembered by stamps, the sidecar by its own build.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PYTHON_RUN := $(VENV)/bin/python
export VENV PYTHON

python_stamp := $(VENV)/.installed
system_stamp := build/.system_packages
neon_stamp := build/neon/.passed

.PHONY: help setup gen fmt lint check test sidecar demo demo-eval demo-train serve bench tokenizer-parity tokenizer-bench tokenizer-fuzz conformance real media-bench isolation-bench media-fuzz lock clean image

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(python_stamp) $(system_stamp) ## install what everything below needs (.venv, Debian packages)

gen: $(python_stamp) ## regenerate gen/ and docs/errors.md from proto/
	@scripts/generate.sh
	@$(PYTHON_RUN) scripts/error_reference.py

fmt: $(python_stamp) ## format Python and C++
	@scripts/format.sh

check: $(python_stamp) ## all linters, type and contract checks
	@scripts/check.sh

lint: check ## the same as check

test: setup sidecar $(neon_stamp) ## build, then all tests (one of them: make test ARGS="-k cancel")
	@scripts/build_grpcurl.sh
	@scripts/test.sh $(ARGS)

sidecar: $(system_stamp) ## build the tokenizer sidecar
	@scripts/build_sidecar.sh

demo: setup sidecar ## start a server and ask it about a picture, a sound and a video
	@$(PYTHON_RUN) -m demo.show

demo-eval: setup sidecar ## measure the demo model through a running server
	@$(PYTHON_RUN) -m demo.evaluate $(ARGS)

demo-train: setup sidecar ## make the demo model anew (hours)
	@$(PYTHON_RUN) -m demo.train $(ARGS)

serve: setup sidecar ## serve MODEL (default: the demo model)
	@$(PYTHON_RUN) -m service serve $(MODEL) $(ARGS)

bench: setup sidecar ## compare with vLLM's own servers
	@$(PYTHON_RUN) -m benchmarks.serve $(ARGS)

tokenizer-parity: setup sidecar ## compare with Hugging Face tokenizers on real vocabularies (VOCABS=folder of more)
	@$(PYTHON_RUN) -m tests.parity $(if $(VOCABS),--folder $(VOCABS)) $(ARGS)

tokenizer-fuzz: $(system_stamp) ## fuzz the sidecar: each target SECONDS long (900), or only ARGS (encode regex ...)
	@scripts/setup_system.sh fuzz
	@SECONDS_EACH=$(or $(SECONDS),900) scripts/fuzz_sidecar.sh $(ARGS)

tokenizer-bench: setup ## time our tokenizers beside other projects' (VOCABS=folder of more)
	@$(PYTHON_RUN) -m benchmarks.tokenizer_bench $(if $(VOCABS),--folder $(VOCABS)) $(ARGS)

conformance: setup sidecar ## hold the prompts of every family to vLLM's, engines included (an hour)
	@$(PYTHON_RUN) -m pytest tests/conformance -m "nightly or not nightly" -o session_timeout=7200 $(ARGS)

real: setup sidecar ## fetch real weights: Whisper writes speech down, SmolLM2 answers
	@$(PYTHON_RUN) -m tests.real $(ARGS)

media-bench: setup ## time media from bytes to engine input, beside vLLM's own path
	@$(PYTHON_RUN) -m benchmarks.media $(ARGS)

isolation-bench: setup sidecar ## measure what a running stream feels of media, beside vLLM's OpenAI server
	@$(PYTHON_RUN) -m benchmarks.isolation $(ARGS)

media-fuzz: setup ## fuzz the media decoders: each SECONDS long (600), or only ARGS (png mp3 ...)
	@scripts/fuzz_media.sh $(or $(SECONDS),600) $(ARGS)

lock: $(python_stamp) ## resolve requirements/*.in anew
	@scripts/lock.sh

image: ## build the container image (PLATFORM=cuda or cpu)
	@docker build --build-arg PLATFORM=$(or $(PLATFORM),cuda) --tag triptych:$(or $(PLATFORM),cuda) .

clean: ## remove what was built and installed here
	@rm -rf build $(VENV) triptych.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(python_stamp): requirements/dev.txt pyproject.toml scripts/setup_python.sh scripts/install_project.sh
	@scripts/setup_python.sh requirements/dev.txt
	@scripts/install_project.sh
	@touch $@

$(neon_stamp): scripts/check_neon.sh $(wildcard sidecar/unicode/byte_classes*)
	@scripts/check_neon.sh
	@touch $@

$(system_stamp): scripts/setup_system.sh
	@scripts/setup_system.sh
	@mkdir -p $(@D) && touch $@
