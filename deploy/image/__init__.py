"""`make image`: from Debian's packages and this repository to a card. README.md says what is in it."""
