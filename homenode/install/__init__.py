"""Pairing and walk test: what an installer does in a flat, on a terminal or a phone (`homenode install`)."""
