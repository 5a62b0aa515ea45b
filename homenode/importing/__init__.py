"""`homenode import`: recordings of others as readings that `homenode replay` takes."""
