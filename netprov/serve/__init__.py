"""`netprov serve`: a small supervisor and its workers."""
