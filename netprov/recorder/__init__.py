"""The flight recorder: what machines and this server said to each other, kept by machine, shown as a capture file."""
