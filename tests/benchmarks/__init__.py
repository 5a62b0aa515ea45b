"""Side by side with others, in one run: `python -m tests.benchmarks`."""
