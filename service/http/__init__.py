"""Requests read and responses written: forms, negotiation, problems, caching."""
