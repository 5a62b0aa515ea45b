"""`homenode`, but for how soon it looks whether its first broker is back: minutes are too long for a test."""

import sys

from homenode.cli import main
from homenode.link import link

if __name__ == "__main__":
    link._LOOK_BACK_S = 2.0
    sys.exit(main(sys.argv[1:]))
