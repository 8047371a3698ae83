"""What netprov must remember across a restart: leases, who was seen at which address, install states."""
