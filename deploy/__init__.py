"""What turns this repository into running nodes; see README.md."""
