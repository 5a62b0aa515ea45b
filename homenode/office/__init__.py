"""`homenode office`: enrols boxes (EST, RFC 7030) and keeps what each of them is for."""
