"""Spamtide: an open spam observatory."""

__version__ = "0.1.0"
