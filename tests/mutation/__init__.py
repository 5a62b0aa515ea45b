"""Do the unit tests notice when the core is wrong? Small faults are put in, one at a time, to see.

Why our own: mutmut mutates only inside functions, and much of this core is tables and constants beside
them; it knows functions but not changed lines; and half its mutants change the text of messages.
"""
