"""`homenode`, but health and updater are looked at ten times a second, and what is usual is so after one.

HOMENODE_ROOT: where the kernel shows a machine, if it is another than this one.
"""

import os
import sys
from functools import partial
from pathlib import Path

from homenode.cli import main
from homenode.gateway import health, updates
from homenode.health import coarse

if __name__ == "__main__":
    health.LOOK_S, health.MACHINE_EACH, coarse.SETTLED = 0.1, 1, 10
    health.look = partial(health.look, root=Path(os.environ.get("HOMENODE_ROOT", "/")))
    updates.LOOK_S = 0.1
    sys.exit(main(sys.argv[1:]))
