"""A virtual machine on the real wire: its packets are scapy's and tftpy's, so that our own codecs are put to a test."""
