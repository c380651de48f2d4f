"""Medians of short rows, against NumPy's."""

import warnings

import numpy as np

from spamtide.change.moves.median import medians


def test_medians_are_those_of_numpy() -> None:
    rng = np.random.default_rng(3)
    for number in range(60):
        values = rng.gamma(1.0, 5.0, (int(rng.integers(1, 30)), int(rng.integers(1, 20))))
        values = np.round(values, number % 3)
        values[rng.random(values.shape) < rng.random()] = np.nan
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a row without any number
            assert np.array_equal(medians(values), np.nanmedian(values, axis=1), equal_nan=True)
            assert np.array_equal(medians(values.T), np.nanmedian(values, axis=0), equal_nan=True)
            assert np.array_equal(medians(values[0]), np.nanmedian(values[0]), equal_nan=True)
