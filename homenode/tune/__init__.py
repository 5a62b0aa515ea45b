"""`homenode tune`: what other settings of a rule would have done on a recording, side by side."""
