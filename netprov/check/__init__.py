"""`netprov check`: what would stop machines from booting, found before one tries."""
