"""homenode: the gateway of a home node."""

__version__ = "0.1.0"
