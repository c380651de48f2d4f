"""Fitting: the panel model by itself, counts as sensor effect times day effect, with its errors.

Reads arrays; writes effects, covariances, dispersions and intervals. Knows no exposure and no subject.
"""
