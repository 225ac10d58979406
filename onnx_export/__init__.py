"""A training checkpoint -> one self-describing model.onnx, proven equal to torch."""

import otoscope.recognizer  # noqa: F401  (before onnxruntime: it switches its telemetry off)
