"""The caregivers' console: pages over what a receiver (`homenode.listen`) hears."""
