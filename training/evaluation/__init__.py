"""Error rates, calibration and the decoders that are compared."""
