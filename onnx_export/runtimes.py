"""An exported model as the folder that another runtime loads: sherpa-onnx or onnx-asr.

Both feed models of NVIDIA NeMo, whose log-mel is this project's default, with features that they
compute themselves. So the graph becomes one of NeMo's: bins before frames at its input
`audio_signal`, `length` beside it, `logprobs` alone at its end.

onnx-asr computes NeMo's features as they are here. sherpa-onnx comes near: its frames are centred
5 ms later and the recording is reflected at its ends, its window is periodic, its logarithm has a
floor instead of a guard, and it reads whole output frames alone, so up to 30 ms less at the end.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from otoscope.atomic_files import replacing
from otoscope.errors import ModelFileError
from otoscope.features import FeatureSpec
from otoscope.recognizer import (
    INPUTS,
    OUTPUTS,
    QUANTIZED_KEY,
    SPEC_KEY,
    Recognizer,
    open_session,
)
from otoscope.spec import ModelSpec
from otoscope.strict_json import dump
from otoscope.vocabulary import Alphabet

BLANK = "<blk>"
SPACE = "\u2581"
"""SentencePiece's mark of a word's beginning, which both runtimes write as a space."""

_INPUTS = ("audio_signal", "length")
_OUTPUT = "logprobs"
_FREE = ("n_mels", "n_mfcc", "corpus_mean", "corpus_std")
"""Fields that may differ from the default: n_mels is checked separately, the others are unused."""


@dataclass(frozen=True)
class Runtime:
    """Another program that runs models.

    Attributes:
        mels: numbers of mel filters that it supports.
        tokens: name of its file of symbols.
        loading: Python that loads the folder.
    """

    mels: tuple[int, ...]
    tokens: str
    loading: str


RUNTIMES = {
    "sherpa-onnx": Runtime(
        (80,),
        "tokens.txt",
        'sherpa_onnx.OfflineRecognizer.from_nemo_ctc("{folder}/{file}", "{folder}/tokens.txt")',
    ),
    "onnx-asr": Runtime(
        (80, 128),
        "vocab.txt",
        'onnx_asr.load_model("nemo-conformer-ctc", "{folder}", quantization={quantization})',
    ),
}


@dataclass(frozen=True)
class Written:
    """A folder for another runtime.

    Attributes:
        model: its ONNX file.
        loading: Python that loads it.
        max_difference: largest difference of the characters' log-probabilities (natural log) from
            those of the original model, on the same features.
    """

    model: Path
    loading: str
    max_difference: float


def write_for(name: str, model: Path, folder: Path, *, force: bool = False) -> Written:
    """Write the folder that a runtime, one of `RUNTIMES`, loads.

    Args:
        name: of the runtime.
        model: as `python -m onnx_export` or `onnx_export.int8` writes it.
        folder: to write to; made if it is not there.
        force: write over a model that is there.

    Raises:
        ModelFileError: if the runtime can't feed the model, or has no way to write its alphabet, or
            there is a model already.
    """
    runtime, recognizer = RUNTIMES[name], Recognizer(model)
    spec = recognizer.spec
    _require_features(name, spec.features)
    _require_symbols(name, spec.alphabet)
    out = folder / ("model.int8.onnx" if recognizer.quantized else "model.onnx")
    if out.exists() and not force:
        raise ModelFileError(f"{out}: expected a folder without a model; or give --force")
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(out) as partial:
        onnx.save(_nemo_graph(onnx.load(model), spec), partial)
    _write_text(folder / runtime.tokens, _tokens(spec.alphabet))
    if name == "onnx-asr":
        config = {
            "model_type": "nemo-conformer-ctc",
            "features_size": spec.features.n_mels,
            "subsampling_factor": spec.frame_stride,
        }
        _write_text(folder / "config.json", json.dumps(config, indent=2) + "\n")
    loading = runtime.loading.format(
        folder=folder, file=out.name, quantization='"int8"' if recognizer.quantized else None
    )
    return Written(out, loading, _difference(recognizer, out))


def _require_features(name: str, features: FeatureSpec) -> None:
    expected, got = dump(FeatureSpec()), dump(features)
    differing = [key for key in got if key not in _FREE and got[key] != expected[key]]
    known = RUNTIMES[name].mels
    wanted, found = [[f"{key} {each[key]}" for key in differing] for each in (expected, got)]
    if features.n_mels not in known:
        wanted.append(f"n_mels {' or '.join(map(str, known))}")
        found.append(f"n_mels {features.n_mels}")
    if wanted:
        raise ModelFileError(
            f"features: {name} computes NeMo's log-mel for a CTC model, which is the default here: "
            f"expected {', '.join(wanted)}; got {', '.join(found)}"
        )


def _require_symbols(name: str, alphabet: Alphabet) -> None:
    """Refuse symbols that a line "symbol number" of the token file can't hold."""
    wrong = [one for one in alphabet.symbols if one == SPACE or (one.isspace() and one != " ")]
    if wrong:
        raise ModelFileError(
            f"alphabet: expected no white space but the space, and no {SPACE!r}, which {name} "
            f"reads as one; got {wrong}"
        )


def _tokens(alphabet: Alphabet) -> str:
    """A line for each class: its symbol and its number."""
    names = [SPACE if one == " " else one for one in alphabet.symbols] + [BLANK]
    return "".join(f"{name} {index}\n" for index, name in enumerate(names))


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _nemo_graph(model: onnx.ModelProto, spec: ModelSpec) -> onnx.ModelProto:
    """`model` with NeMo's inputs, output and metadata, without the nodes of other outputs."""
    kept = onnx.utils.Extractor(model).extract_model(list(INPUTS), [OUTPUTS[0]])
    graph, bins, classes = kept.graph, spec.features.bins, spec.alphabet.size
    for old in (graph.input, graph.output):
        del old[:]
    graph.input.extend(
        [
            helper.make_tensor_value_info(_INPUTS[0], TensorProto.FLOAT, ["batch", bins, "frames"]),
            helper.make_tensor_value_info(_INPUTS[1], TensorProto.INT64, ["batch"]),
        ]
    )
    graph.output.append(
        helper.make_tensor_value_info(_OUTPUT, TensorProto.FLOAT, ["batch", "out_frames", classes])
    )
    graph.node.insert(0, helper.make_node("Transpose", [_INPUTS[0]], [INPUTS[0]], perm=[0, 2, 1]))
    graph.node.insert(1, helper.make_node("Identity", [_INPUTS[1]], [INPUTS[1]]))
    graph.node.append(helper.make_node("Identity", [OUTPUTS[0]], [_OUTPUT]))
    before = {entry.key: entry.value for entry in model.metadata_props}
    facts = {key: before[key] for key in (SPEC_KEY, QUANTIZED_KEY) if key in before}
    metadata = {
        "model_type": "EncDecCTCModel",
        "vocab_size": str(classes),
        "subsampling_factor": str(spec.frame_stride),
        "normalize_type": "per_feature",
    }
    helper.set_model_props(kept, {**facts, **metadata})
    kept.producer_name, kept.doc_string = model.producer_name, model.doc_string
    return kept


def _difference(recognizer: Recognizer, written: Path) -> float:
    """Largest difference of log-probabilities on seeded noise in place of features."""
    session, _ = open_session(written, threads=1)
    bins = recognizer.spec.features.bins
    x = np.random.default_rng(0).standard_normal((201, bins)).astype(np.float32)
    signal = {_INPUTS[0]: x.T[None], _INPUTS[1]: np.array([len(x)], dtype=np.int64)}
    [[got]] = session.run([_OUTPUT], signal)
    expected = recognizer.run_heads([x])[0].characters
    return float(np.abs(got - expected).max()) if got.shape == expected.shape else float("inf")
