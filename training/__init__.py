"""Audio and text -> weights: an RNN acoustic model trained with CTC. Needs torch."""
