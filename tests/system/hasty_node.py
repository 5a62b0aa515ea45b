"""`homenode`, but its health is looked at ten times a second, and what is usual is so after a second."""

import sys

from homenode.cli import main
from homenode.gateway import health
from homenode.health import coarse

if __name__ == "__main__":
    health.LOOK_S, health.MACHINE_EACH, coarse.SETTLED = 0.1, 1, 10
    sys.exit(main(sys.argv[1:]))
