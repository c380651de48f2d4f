"""Estimates behind claims: levels, effects, forecasts, silences and nearness in time, each with its interval.

Reads arrays and dates; writes numbers. Knows no sentence, no view and no name of a botnet.
"""
