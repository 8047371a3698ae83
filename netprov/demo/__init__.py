"""`netprov demo`: a real boot in a private network, on the user's own screen."""
