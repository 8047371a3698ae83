"""TFTP: codec, negotiation, transfers, sockets; and a client's core."""
