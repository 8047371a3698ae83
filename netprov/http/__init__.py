"""HTTP's transport: connections, limits, ranges, files. It is given its application."""
