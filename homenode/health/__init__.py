"""How a node and its machine are, as figures for who keeps nodes running: never a reading.

`homenode.contract.figures` says which there are, `coarse` how little of a life may show in them, `verdicts`
when somebody must act (all pure); `machine` reads them from the kernel.
"""
