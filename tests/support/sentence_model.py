"""A model that knows one recording by heart, examples/sample.flac, and believes of it what is here.

Tests of what is done with a model use it instead of shipped weights: what it hears is known, it
loads in milliseconds, and in float32 it hears the same on every processor. It is a convolution
over nine frames whose weights are fitted to the sample; silence and noise are blank to it.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from tiny_onnx import FLOAT, INT64, Node, model

from otoscope import ARPABET, ENGLISH, ModelSpec, Recognizer, load
from otoscope.calibration import Calibration, Curve
from otoscope.decoding.arpa import from_arpa
from otoscope.decoding.options import BeamOptions, ModelDecoding
from otoscope.features import extract
from otoscope.pronunciations import FILE_NAME, write_entries
from otoscope.recognizer import FILTERBANK_KEY, SPEC_KEY, encode_filterbank
from otoscope.sidecars import write_sidecar
from otoscope.spec import Provenance

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples/sample.flac"
SAID = "it was a long time before he came home to his father"
HEARD = "was a long time before he came home to his father"
GREEDY = "was alongtime before he caine home to his father"

FIRST = "______wwass  alllonggttii_mee  bee_fforee hee caine  homme  to hhiss  ffatthherr__ __"
"""What it believes most in each frame; "_" is the blank."""

SECOND = "wwwwww_a__ _a  _oa_n  ___m_m__beb_f_or_r teh ck_amgghoh_n_tto _ i_i__f _o__teue_  _  "
"""What it believes next."""

TENTHS = "*****686999969688997669968969999986969976889666866788986969699969989999876787999**9**"
"""How much it believes what it believes most; "9" is SURE, "*" is NEARLY_1."""

PHONEMES = (
    "_ _ _ _ _ _ W W AA _ Z _ _ AH _ L L AO NG NG _ T T AY AY _ M M _ _ _ B IH _ _ F F AO AO R _ "
    "_ HH IY _ _ K _ EY M M _ HH HH OW _ M _ _ T T UW _ HH IH IH Z Z _ _ F _ AA _ _ DH _ ER ER "
    "_ _ _ _ _ _"
)
"""What it believes of phonemes."""

SURE, NEARLY_1 = 0.95, 0.9995
SECONDS_SHARE = 0.8
"""Of what the first belief leaves."""

STRIDE, FRAMES = 4, 9
RIDGE = 1.0
PAUSES = tuple((1117 * n + 80, 6) for n in range(12))
"""Samples of silence after the sample, and how often it is then repeated, to be learned."""
SPEC = ModelSpec(
    frame_stride=STRIDE,
    phonemes=ARPABET,
    provenance=Provenance(parameters=50_000, audio_hours=0.001, created="2026-01-01"),
)
SEARCH = BeamOptions(lm_weight=0.7, unknown_penalty=25.0, acoustic_scale=0.8, prior_scale=0.5)
UNIT = STRIDE * SPEC.features.hop_samples
SPOKEN = """
it IH T; was W AA Z; a AH; long L AO NG; time T AY M; before B IH F AO R; he HH IY; came K EY M;
home HH OW M; to T UW; his HH IH Z; father F AA DH ER; along AH L AO NG; at AE T; can K AE N;
cane K EY N; farther F AA R DH ER; for F AO R; good G UH D; her HH ER; hiss HH IH S; i AY;
morning M AO R N IH NG; mother M AH DH ER; new N UW; no N OW; she SH IY; tim T IH M; yes Y EH S;
york Y AO R K
"""
"""The words that its language model knows, and how they sound."""

Matrix = npt.NDArray[np.float64]


def write_sentence_model(folder: Path, spec: ModelSpec = SPEC) -> Path:
    """Write model.onnx, and what lies beside a model; the model's path."""
    path = folder / "model.onnx"
    filterbank = Recognizer(ROOT / "models/english-small/model.int8.onnx")._filterbank
    path.write_bytes(_network(filterbank, spec))
    (folder / "lm.arpa").write_text(_arpa(), encoding="utf-8")
    from_arpa(folder / "lm.arpa").save(folder / "lm.npz")
    sha256 = Recognizer(path).sha256
    curves = dict.fromkeys(("greedy", "beam", "beam + LM"), Curve(0.8, 0.1))
    priors = [(1 / classes,) * classes for classes in (ENGLISH.size, ARPABET.size)]
    write_sidecar(folder / "calibration.json", Calibration(sha256, priors[0], curves, priors[1]))
    write_sidecar(folder / "decoding.json", ModelDecoding(sha256, SEARCH))
    words = [line.split() for line in SPOKEN.split(";")]
    write_entries(folder / FILE_NAME, [(word, tuple(sounds)) for word, *sounds in words])
    return path


def _network(filterbank: npt.NDArray[np.float32], spec: ModelSpec) -> bytes:
    """Two convolutions, each with the log softmax of its classes."""
    characters, phonemes = _targets()
    weights = {}
    for name, targets in (("characters", characters), ("phonemes", phonemes)):
        fitted = _fit(targets, filterbank)
        kernel = fitted[:-1].T.reshape(-1, FRAMES, SPEC.features.bins).transpose(0, 2, 1)
        weights[f"{name}_kernel"] = np.ascontiguousarray(kernel, dtype=np.float32)
        weights[f"{name}_bias"] = fitted[-1].astype(np.float32)
    edge = FRAMES // 2
    where = {"strides": [STRIDE], "pads": [edge, edge]}
    nodes = [Node("Transpose", ["features"], ["turned"], {"perm": [0, 2, 1]})]
    for name, output in (("characters", "log_probs"), ("phonemes", "phoneme_log_probs")):
        parameters = ["turned", f"{name}_kernel", f"{name}_bias"]
        nodes += [
            Node("Conv", parameters, [f"{name}_turned"], where),
            Node("Transpose", [f"{name}_turned"], [f"{name}_scores"], {"perm": [0, 2, 1]}),
            Node("LogSoftmax", [f"{name}_scores"], [output], {"axis": -1}),
        ]
    nodes += [
        Node("Add", ["lengths", "most_over"], ["rounded_up"]),
        Node("Div", ["rounded_up", "stride"], ["out_lengths"]),
    ]
    sizes = {"stride": np.array(STRIDE), "most_over": np.array(STRIDE - 1)}
    return model(
        nodes,
        [
            ("features", FLOAT, ("batch", "frames", SPEC.features.bins)),
            ("lengths", INT64, ("batch",)),
        ],
        [
            ("log_probs", FLOAT, ("batch", "out", ENGLISH.size)),
            ("out_lengths", INT64, ("batch",)),
            ("phoneme_log_probs", FLOAT, ("batch", "out", ARPABET.size)),
        ],
        {**weights, **sizes},
        {SPEC_KEY: spec.to_json(), FILTERBANK_KEY: encode_filterbank(filterbank)},
    )


def _targets() -> tuple[Matrix, Matrix]:
    """Log P of characters (frames, 29) and phonemes (frames, 40) of the sample."""
    characters = np.zeros((len(FIRST), ENGLISH.size))
    for row, first, second, tenths in zip(characters, FIRST, SECOND, TENTHS, strict=True):
        most = {"*": NEARLY_1, "9": SURE}.get(tenths) or int(tenths) / 10
        row[_class(first)], row[_class(second)] = most, SECONDS_SHARE * (1 - most)
    names = PHONEMES.split()
    phonemes = np.zeros((len(names), ARPABET.size))
    for row, name in zip(phonemes, names, strict=True):
        row[-1 if name == "_" else ARPABET.symbols.index(name)] = SURE
    return _logs(characters), _logs(phonemes)


def _logs(probs: Matrix) -> Matrix:
    """Their logarithms; what a row lacks to 1 is shared evenly by the classes that have nothing."""
    nothing = probs == 0
    share = (1 - probs.sum(axis=1)) / nothing.sum(axis=1)
    return np.log(probs + nothing * share[:, None])


def _class(symbol: str) -> int:
    return ENGLISH.blank_index if symbol == "_" else ENGLISH.symbols.index(symbol)


def _fit(targets: Matrix, filterbank: npt.NDArray[np.float32]) -> Matrix:
    """(frames * bins + 1, classes): from the frames around an output frame, and 1, to scores.

    Features of the sample differ with what is recorded beside it, for each bin is normalised over
    the whole: it is learned alone, and over and over at other places between frames.
    """
    sample = load(SAMPLE, SPEC.features.sample_rate_hz).samples
    blank = np.full(targets.shape[1], np.log((1 - NEARLY_1) / (targets.shape[1] - 1)))
    blank[-1] = np.log(NEARLY_1)
    said = np.concatenate([targets, [blank]])
    inputs, wanted = [], []
    for pause, count in ((0, 1), *PAUSES):
        period = np.append(sample, np.zeros(pause, dtype=np.float32))
        rows = _contexts(np.tile(period, count) if pause else sample, filterbank)
        frames = np.rint(np.arange(len(rows)) * UNIT % period.size / UNIT).astype(int)
        inputs.append(rows)
        wanted.append(said[np.minimum(frames, len(targets))])
    noise = 0.1 * np.random.default_rng(0).standard_normal(10 * 16000).astype(np.float32)
    for quiet in (noise, np.zeros(16000, dtype=np.float32)):
        inputs.append(_contexts(quiet, filterbank))
        wanted.append(np.tile(blank, (len(inputs[-1]), 1)))
    x, y = np.concatenate(inputs), np.concatenate(wanted)
    x = np.hstack([x, np.ones((x.shape[0], 1))])
    return np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y)


def _contexts(samples: npt.NDArray[np.float32], filterbank: npt.NDArray[np.float32]) -> Matrix:
    """(output frames, frames * bins): what the convolution sees."""
    features = extract(samples, SPEC.features, filterbank).astype(np.float64)
    edge = FRAMES // 2
    padded = np.pad(features, ((edge, edge), (0, 0)))
    starts = range(0, features.shape[0], STRIDE)
    return np.stack([padded[start : start + FRAMES].ravel() for start in starts])


def _arpa() -> str:
    """A trigram that knows the words of the sample, and some more."""
    words = ["<s>", *SAID.split(), "</s>"]
    grams = [sorted({tuple(words[i : i + n]) for i in range(len(words) - n + 1)}) for n in (2, 3)]
    ones = ["<unk>", "<s>", "</s>", *(line.split()[0] for line in SPOKEN.split(";"))]
    lines = ["\\data\\", "", "\\1-grams:", *(f"-1.3\t{word}\t-0.1" for word in ones)]
    lines += ["", "\\2-grams:", *(f"-0.7\t{' '.join(pair)}\t-0.1" for pair in grams[0])]
    lines += ["", "\\3-grams:", *(f"-0.5\t{' '.join(three)}" for three in grams[1])]
    return "\n".join([*lines, "", "\\end\\", ""])
