"""Webhooks: tells other programs what happens, once each, until they have taken it."""
