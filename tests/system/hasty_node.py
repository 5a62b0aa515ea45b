"""`homenode`, but health and updater are looked at ten times a second, and what is usual is so after one."""

import sys

from homenode.cli import main
from homenode.gateway import health, updates
from homenode.health import coarse

if __name__ == "__main__":
    health.LOOK_S, health.MACHINE_EACH, coarse.SETTLED = 0.1, 1, 10
    updates.LOOK_S = 0.1
    sys.exit(main(sys.argv[1:]))
