# What people and CI type. Everything installs into .venv; a second run reinstalls nothing.
#   make demo [LIVE=1]   a day in the simulated apartment (needs Python and pip, no root)
#   make test            all checks
#   make mutants         all mutants of the pure core (make test: those of what changed)
#   make quality         how good the shipped rules are in recorded homes
#   make fuzz [SECONDS=600]   everything that people write, by coverage-guided fuzzing
#   make oracle [TRACES=2000] [SEED=1]   what rules mean, by a second reading of the design, in random homes
#   make chaos [MINUTES=30] [SEED=…]   everything fails at once, and nothing is lost (needs root)
#   make looks [SEED=7]  fifty looks through a camera, interrupted in every way, leave nothing (needs root)
#   make updates         updates with Debian's RAUC: good, bad, cut, forged, never proved (needs root)
#   make camera          picamera2, libcamera, V4L2 and systemd in a Debian machine in software (needs root)
#   make deb [ARCH=arm64]   Debian packages of a node into dist/, for arm64 and amd64 (needs root); deploy/debian/README.md
#   make deb-test        that package in a plain Debian in software: a node runs, purge leaves its data (needs root)
#   make image [KERNEL=FOLDER] [SIGN='CERT KEY'] [TRUST=CA]   the card's image, its bundle for updates, what is in them (root)
#   make image-test      that image in QEMU: enrols, alerts, updates, and its power is cut (root)
#   make quirks          rows of Zigbee devices from zha-quirks (needs Python 3.13)
#   make bench | soak | peers    side by side with others; hours; zigbee2mqtt on our coordinator (needs npm)

PYTHON ?= python3
# Each of the five that test would compile all tests for itself.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all:
# As pip does with what isn't editable: a node that compiles itself at each start takes a quarter longer.
COMPILE := $(BIN)/python -m compileall -q homenode drivers rules
# Most of a system test is waiting.
TESTS := $(BIN)/python -m pytest -n 5 --dist worksteal

.PHONY: image image-test deb deb-test deb-lock demo test check unit bench looks updates soak chaos peers mutants quality fuzz oracle quirks camera clean apt npm collected
.DELETE_ON_ERROR:

demo: $(VENV)/.demo
	$(BIN)/homenode demo $(if $(LIVE),--live)

# Whoever collects the tests first compiles them for all: here it costs nothing, as mypy has one core only.
test: apt
	$(MAKE) -j2 check collected npm
	$(TESTS)
	$(BIN)/python -m tests.mutation --changed

collected: $(VENV)/.test
	$(BIN)/python -m pytest --collect-only >/dev/null

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.test
	$(TESTS) tests/unit

quality: $(VENV)/.test
	$(BIN)/python -m tests.quality

bench: apt $(VENV)/.test
	$(COMPILE)
	$(BIN)/python -m tests.benchmarks

soak: apt $(VENV)/.test
	$(BIN)/python -m pytest -m soak

looks: apt $(VENV)/.test
	$(BIN)/python -m pytest -m looks -s

updates: apt $(VENV)/.test
	@sh .ci/apt tests/system/updates-apt.txt
	$(BIN)/python -m pytest -m updates

chaos: apt $(VENV)/.test
	$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED))

peers: apt $(VENV)/.test
	$(BIN)/python -m pytest -m peers -rs

mutants: $(VENV)/.test
	$(BIN)/python -m tests.mutation

fuzz: $(VENV)/.test
	$(PIP) -e '.[fuzz]'
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),600)

oracle: $(VENV)/.test
	$(BIN)/python -m tests.oracle --traces $(or $(TRACES),2000) --seed $(or $(SEED),1)

camera: apt $(VENV)/.test
	@sh .ci/apt tests/camera/apt.txt
	$(BIN)/python -m tests.camera

deb: $(VENV)/.test
	@sh .ci/apt deploy/image/apt.txt
	$(BIN)/python -m deploy.debian.build $(ARCH)

image: $(VENV)/.test
	@sh .ci/apt deploy/image/apt.txt
	$(BIN)/python -m deploy.image $(if $(KERNEL),--kernel $(KERNEL)) $(if $(SIGN),--sign $(SIGN)) $(if $(TRUST),--trust $(TRUST))

image-test: apt $(VENV)/.test
	@sh .ci/apt tests/image/apt.txt
	$(BIN)/python -m tests.image

deb-test: apt $(VENV)/.test
	@sh .ci/apt tests/camera/apt.txt
	$(BIN)/python -m tests.deb

deb-lock: $(VENV)/.test
	$(PIP) uv
	$(BIN)/python -m deploy.debian.lock

# What Tuya's and Xiaomi's devices mean, out of zha-quirks and zigbee2mqtt into drivers/zigbee/rows_*.json.
quirks: $(VENV)/.test
	$(BIN)/python -m tests.quirks

apt:
	@sh .ci/apt deploy/apt-test.txt

npm: $(VENV)/.test
	@$(BIN)/python -m tests.system.npm

# Debian's python3 may lack ensurepip; its pip can then serve the new environment.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "homenode needs Python 3.11 or newer; name one: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv --without-pip $(VENV)
	$(BIN)/python -m ensurepip --default-pip >/dev/null 2>&1 || \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet pip

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[demo]'
	$(COMPILE)
	touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[test]'
	$(COMPILE)
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) build dist *.egg-info mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache .peers .fuzz .camera .updates
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
