"""Updates that roll back: ordered by the operator, installed by RAUC, good when the node proves it."""
