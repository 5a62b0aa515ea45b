"""The receiving side: hears a party's alerts of many homes, hands each over, and sees what is missing."""
