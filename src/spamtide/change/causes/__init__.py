"""Causes: why something moved, and what it is then told as.

Reads events with the panel that they are of; writes judged events and changes: the botnet's own, a sensor's,
a name's that was lost, or what everybody did on that day.
"""
