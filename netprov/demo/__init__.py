"""`netprov demo`: a real boot in a private network, from firmware to kickstart, on the user's own screen."""
