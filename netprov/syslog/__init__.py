"""Receives what installers log, and tells the journal: RFC 3164, RFC 5424, by UDP and TCP."""
