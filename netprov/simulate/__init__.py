"""A virtual machine on the real wire, by scapy and tftpy, which put our own codecs to a test."""
