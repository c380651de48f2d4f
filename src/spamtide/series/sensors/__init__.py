"""Sensors: which of them were down, changed, or take less of some senders, and since when.

Reads counts by sensor and day, ordinary mail and relays; writes days and factors. Fits no index.
"""
