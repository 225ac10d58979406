"""Folders for other runtimes, read by those themselves: the packages sherpa-onnx and onnx-asr."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from exportables import PLAIN, VARIANTS, WHISPER, untrained

from onnx_export.__main__ import main
from onnx_export.export import export
from onnx_export.int8 import quantize
from onnx_export.runtimes import RUNTIMES, write_for
from otoscope import Alphabet, FeatureSpec, Recognizer, greedy, load
from otoscope.errors import ModelFileError
from training.config import TrainingConfig

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "examples" / "sample.flac"
SMALL = ROOT / "models" / "english-small" / "model.int8.onnx"
RATE_HZ = 16000
DEV = [f"dev-{number}.wav" for number in range(10)]
TOLERANCE = 2e-3
"""Of log-probabilities: onnx-asr's features are computed in float32."""


@pytest.fixture(scope="session")
def tone_model(whole_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    assert main([str(whole_run / "best.pt"), "--out", str(path)]) == 0
    return path


def exported(config: TrainingConfig, folder: Path) -> Path:
    export(untrained(config), folder / "model.onnx")
    return folder / "model.onnx"


def ours(model: Path, recordings: list[Path]) -> list[str]:
    recognizer = Recognizer(model)
    samples = [load(path, RATE_HZ).samples for path in recordings]
    return [greedy(posteriors).text for posteriors in recognizer.posteriors(samples)]


def sherpa(folder: Path, recordings: list[Path], model: str = "model.onnx") -> list[str]:
    """Texts of all, decoded as one batch."""
    sherpa_onnx = pytest.importorskip("sherpa_onnx", reason="needs sherpa-onnx")
    tokens = str(folder / "tokens.txt")
    recognizer = sherpa_onnx.OfflineRecognizer.from_nemo_ctc(str(folder / model), tokens)
    streams = [recognizer.create_stream() for _ in recordings]
    for stream, path in zip(streams, recordings, strict=True):
        stream.accept_waveform(RATE_HZ, load(path, RATE_HZ).samples)
    recognizer.decode_streams(streams)
    return [stream.result.text.strip() for stream in streams]


def test_sherpa_onnx_reads_it(tone_model: Path, tones: Path, tmp_path: Path) -> None:
    written = write_for("sherpa-onnx", tone_model, tmp_path / "out")
    recordings = [tones / name for name in DEV]
    texts, expected = sherpa(tmp_path / "out", recordings), ours(tone_model, recordings)
    # Its features are 5 ms off, so a character of which the model is unsure may differ.
    assert sum(map(str.__eq__, texts, expected)) >= 8
    assert len(set(expected)) >= 8
    assert written.max_difference == 0.0
    assert "from_nemo_ctc" in written.loading


def test_onnx_asr_reads_it(tone_model: Path, tones: Path, tmp_path: Path) -> None:
    onnx_asr = pytest.importorskip("onnx_asr", reason="needs onnx-asr")
    write_for("onnx-asr", tone_model, tmp_path / "out")
    model = onnx_asr.load_model("nemo-conformer-ctc", tmp_path / "out")
    recordings = [tones / name for name in DEV]
    assert model.recognize([str(path) for path in recordings]) == ours(tone_model, recordings)
    recognizer = Recognizer(tone_model)
    for path in recordings:
        samples = load(path, RATE_HZ).samples
        features = model.asr._preprocessor(samples[None], np.array([samples.size]))
        [got], [frames] = model.asr._encode(*features)
        expected = recognizer.run_heads([recognizer.features(samples)])[0].characters
        assert frames == len(expected)
        np.testing.assert_allclose(got[:frames], expected, atol=TOLERANCE)


def test_onnx_asr_reads_the_shipped_small_model(tmp_path: Path) -> None:
    onnx_asr = pytest.importorskip("onnx_asr", reason="needs onnx-asr")
    assert main(["--for", "onnx-asr", str(SMALL), "--out", str(tmp_path / "out")]) == 0
    model = onnx_asr.load_model("nemo-conformer-ctc", tmp_path / "out", quantization="int8")
    text = model.recognize(load(SAMPLE, RATE_HZ).samples, sample_rate=RATE_HZ)
    assert "long" in text
    assert text == ours(SMALL, [SAMPLE])[0]


def test_sherpa_onnx_reads_the_shipped_small_model(tmp_path: Path) -> None:
    assert main(["--for", "sherpa-onnx", str(SMALL), "--out", str(tmp_path / "out")]) == 0
    [text] = sherpa(tmp_path / "out", [SAMPLE], "model.int8.onnx")
    assert "before he" in text


@pytest.mark.parametrize("name", ["lstm", "gru, stride 2"])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_networks_whose_features_are_known(name: str, runtime: str, tmp_path: Path) -> None:
    model = exported(VARIANTS[name], tmp_path)
    quantized = tmp_path / "model.int8.onnx"
    sources = [model]
    if name == "lstm":
        quantize(model, quantized)
        sources.append(quantized)
    for source in sources:
        written = write_for(runtime, source, tmp_path / source.stem)
        assert written.model.name == source.name
        assert written.max_difference <= 1e-5
        graph = onnx.load(written.model)
        onnx.checker.check_model(graph)
        assert [one.name for one in graph.graph.input] == ["audio_signal", "length"]
        assert [one.name for one in graph.graph.output] == ["logprobs"]
        facts = {entry.key: entry.value for entry in graph.metadata_props}
        stride = str(Recognizer(source).spec.frame_stride)
        assert (facts["subsampling_factor"], facts["normalize_type"]) == (stride, "per_feature")
        assert facts["vocab_size"] == "29"


def test_the_checkpoint_of_a_run(
    whole_run: Path, tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["--for", "onnx-asr", str(whole_run / "best.pt"), "--out", str(out)]
    assert main(arguments) == 0
    assert {path.name for path in out.iterdir()} == {"model.onnx", "vocab.txt", "config.json"}
    assert json.loads((out / "config.json").read_text())["subsampling_factor"] == 4
    assert (out / "vocab.txt").read_text().splitlines()[-2:] == ["\u2581 4", "<blk> 5"]
    assert "onnx_asr.load_model" in capsys.readouterr().out
    assert main(arguments) == 2  # there is a model
    assert "--force" in capsys.readouterr().err
    assert main([*arguments, "--force"]) == 0
    assert main([*arguments[:2], str(SMALL), "--name", "mine", "--out", str(out)]) == 2


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"features": WHISPER}, "expected kind log_mel.*got kind whisper"),
        ({"features": FeatureSpec(kind="mfcc")}, "got kind mfcc"),
        ({"features": FeatureSpec(n_mels=64)}, "expected n_mels 80.*got n_mels 64"),
        ({"features": FeatureSpec(preemphasis=0.0)}, "expected preemphasis 0.97; got preemph"),
        ({"alphabet": Alphabet(("a", "\t"))}, "expected no white space but the space"),
        ({"alphabet": Alphabet(("a", "\u2581"))}, "expected no white space but the space"),
    ],
)
def test_what_they_cannot_feed_is_refused(
    changed: dict[str, object], words: str, tmp_path: Path
) -> None:
    base = VARIANTS["whisper"] if changed.get("features") == WHISPER else PLAIN
    model = exported(replace(base, **changed), tmp_path)  # type: ignore[arg-type]
    for runtime in RUNTIMES:
        with pytest.raises(ModelFileError, match=words):
            write_for(runtime, model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_onnx_asr_has_128_filters_too(tmp_path: Path) -> None:
    onnx_asr = pytest.importorskip("onnx_asr", reason="needs onnx-asr")
    model = exported(replace(PLAIN, features=FeatureSpec(n_mels=128)), tmp_path)
    write_for("onnx-asr", model, tmp_path / "out")
    onnx_asr.load_model("nemo-conformer-ctc", tmp_path / "out").recognize(
        load(SAMPLE, RATE_HZ).samples, sample_rate=RATE_HZ
    )
    with pytest.raises(ModelFileError, match="expected n_mels 80; got n_mels 128"):
        write_for("sherpa-onnx", model, tmp_path / "sherpa")
