"""`homenode fleet`: all homes of an operator: how they are, updates ring by ring, what a node's logs say.

`board`, `fields`, `filters`, `table`, `rings` decide (pure); `ears`, `run`, `watch` and their like do.
"""
