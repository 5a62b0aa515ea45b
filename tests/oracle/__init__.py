"""What rules mean, read a second time from the text of the design alone, and compared with `homenode replay`.

Nothing here imports homenode or was written with a look at its engine: where both agree, two readings agree.
"""
