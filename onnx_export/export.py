"""Writing model.onnx: graph, ModelSpec, mel filterbank and training configuration in one file."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import onnx
import torch

from onnx_export.graph import ExportedGraph, example_inputs
from otoscope.atomic_files import replacing
from otoscope.features import mel_filterbank
from otoscope.recognizer import (
    FILTERBANK_KEY,
    INPUTS,
    PHONEME_OUTPUT,
    SPEC_KEY,
    encode_filterbank,
    output_names,
)
from otoscope.strict_json import dump
from training.weights.checkpoint import Exportable
from training.weights.from_onnx import TRAINING_KEY

OPSET = 17
_DYNAMIC_AXES = {
    "features": {0: "batch", 1: "frames"},
    "lengths": {0: "batch"},
    "log_probs": {0: "batch", 1: "out_frames"},
    "out_lengths": {0: "batch"},
    PHONEME_OUTPUT: {0: "batch", 1: "out_frames"},
}


def export(exportable: Exportable, path: Path) -> None:
    """Write `exportable` as a model that `otoscope.Recognizer` opens.

    Inputs: features (batch, frames, bins) float32, lengths (batch,) int64. Outputs: log_probs
    (batch, frames', classes) float32, out_lengths (batch,) int64 and, with a phoneme head,
    phoneme_log_probs (batch, frames', phoneme classes) float32. Batch and frames are dynamic.
    """
    outputs = output_names(exportable.spec)
    model = ExportedGraph(exportable.model).eval()
    with replacing(path) as partial, warnings.catch_warnings(), torch.inference_mode():
        # The tracing exporter is the one that keeps packed sequences as one LSTM operator.
        # It warns of its age and of every Python value it sees; parity is proven afterwards.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            example_inputs(exportable.spec.features.bins),
            str(partial),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=list(outputs),
            dynamic_axes={name: _DYNAMIC_AXES[name] for name in (*INPUTS, *outputs)},
        )
        _describe(partial, exportable)


def _describe(path: Path, exportable: Exportable) -> None:
    graph = onnx.load(path)
    graph.producer_name = "otoscope"
    graph.doc_string = "RNN-CTC acoustic model: log-mel or MFCC features -> log P(symbol | frame)"
    metadata = {
        SPEC_KEY: exportable.spec.to_json(),
        FILTERBANK_KEY: encode_filterbank(mel_filterbank(exportable.spec.features)),
        TRAINING_KEY: json.dumps(dump(replace(exportable.config, start=""))),
    }
    onnx.helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, path)
