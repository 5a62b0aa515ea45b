"""`homenode enrol`: a box finds its office, its certificate and its home by itself."""
