"""The DHCP options: one table of numbers, names and types."""
