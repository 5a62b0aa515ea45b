"""The simulated apartment: a process that *is* the hardware, for the unmodified stacks to run against."""
