"""A private network with real firmware in it: what `netprov demo` and the tests boot."""
