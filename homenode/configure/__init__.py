"""Signed changes of a home's configuration: who must sign what, and how a node takes them."""
