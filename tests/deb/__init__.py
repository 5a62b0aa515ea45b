"""`make deb-test`: the Debian package in a plain Debian in software."""
