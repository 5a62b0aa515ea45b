"""End-to-end encryption of what a party gets, by JWE (edge: the library is imported when used)."""
