"""Best-path decoding: the likeliest class of each frame, repeats merged, blanks dropped.

Graves et al. 2006, section 3.2. It finds the most probable path, not always the most probable text.
"""

import numpy as np

from otoscope.posteriors import Posteriors
from otoscope.transcript import Transcript, transcript_of


def greedy(posteriors: Posteriors) -> Transcript:
    """Decode one recording, with times and confidences of words and characters."""
    return transcript_of(posteriors.log_probs.argmax(axis=1).astype(np.int64), posteriors)
