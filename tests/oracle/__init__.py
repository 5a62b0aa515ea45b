"""What rules mean, read a second time from the text of the design alone, and compared with `homenode replay`.

Nothing here imports homenode or was written with a look at its engine: where both agree, two readings agree.

Not read: away by door and silence, more than 60 modes an hour (ADR 8), the readable report, and all that is
only live (parties, who hears, the resident's answer, trust in the clock).
"""
