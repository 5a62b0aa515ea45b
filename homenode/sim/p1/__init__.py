"""The flat's electricity meter, with its customer port."""
