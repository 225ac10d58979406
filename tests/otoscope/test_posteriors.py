"""otoscope.posteriors: probabilities of their logarithms."""

import numpy as np

from otoscope import ENGLISH, FrameClock, Posteriors


def test_probs_are_the_exponential():
    log_probs = np.log(np.array([[0.25, 0.75]], dtype=np.float32))
    posteriors = Posteriors(log_probs, ENGLISH, FrameClock(0.04, 0.04))
    np.testing.assert_allclose(posteriors.probs, [[0.25, 0.75]], rtol=1e-6)
