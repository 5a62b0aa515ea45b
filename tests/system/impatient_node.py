"""`homenode`, but for what it waits for too long for a test: its first broker, a camera that says nothing."""

import sys

from homenode.cli import main
from homenode.gateway import look
from homenode.link import link

if __name__ == "__main__":
    link._LOOK_BACK_S = 2.0
    look.ANSWER_S = 1.0
    sys.exit(main(sys.argv[1:]))
