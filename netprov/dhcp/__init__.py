"""DHCP and ProxyDHCP: codec, server core, leases, sockets; and a client's core."""
