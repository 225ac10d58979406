"""A training checkpoint -> one self-describing model.onnx, proven equal to torch."""
