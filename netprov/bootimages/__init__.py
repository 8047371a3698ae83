"""What machines boot: loaders from the distribution's packages, and netprov-probe."""
