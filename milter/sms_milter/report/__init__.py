"""Mails of our own: what became of a message, and the answers of the dialects."""
