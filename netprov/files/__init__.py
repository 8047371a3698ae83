"""The served folder: names that cannot lead out of it, what stage a file is of, checksums."""
