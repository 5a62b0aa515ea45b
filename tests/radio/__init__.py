"""Radio faults: how each is got over, and how long a home is deaf over it."""
