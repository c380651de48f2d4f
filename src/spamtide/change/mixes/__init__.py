"""Mixes: what a botnet advertises, to its switches from one programme to another.

Reads a botnet's messages by programme and day; writes switches, and how templates come and go by themselves.
"""
