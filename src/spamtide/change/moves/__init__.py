"""Moves: one series of counts by day, to its dated events and to the alarm.

Reads counts with their offsets; writes events (falls, rises, floods) with posteriors of their days. Knows no
names, no sensors and no other series, but for how far levels wander in all of them.
"""
