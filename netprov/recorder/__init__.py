"""The flight recorder: the packets of machines' boots, kept by machine, shown as a capture file."""
