"""`make deb`: the Debian package of a node; README.md says what is in it and why."""
