"""`python -m benchmarks.runtimes MANIFEST ...`: one model here, in onnx-asr and in sherpa-onnx.

The model is written for each runtime as `python -m onnx_export --for` does, and decoded greedily,
one recording at a time.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx_asr
import sherpa_onnx

from onnx_export.runtimes import write_for
from otoscope import Recognizer
from otoscope.audio import Samples
from training.evaluation.decoders import System, model_decoder, our_systems
from training.evaluation.evaluate import evaluate, markdown_table

RATE_HZ = 16_000


def sherpa_system(model: Path, folder: Path) -> System:
    """The model in sherpa-onnx; its folder is written to `folder`."""
    written = write_for("sherpa-onnx", model, folder)
    recognizer = sherpa_onnx.OfflineRecognizer.from_nemo_ctc(
        str(written.model), str(folder / "tokens.txt")
    )

    def text(samples: Samples) -> str:
        stream = recognizer.create_stream()
        stream.accept_waveform(RATE_HZ, samples)
        recognizer.decode_stream(stream)
        return str(stream.result.text).strip()

    return text


def onnx_asr_system(model: Path, folder: Path) -> System:
    """The model in onnx-asr; its folder is written to `folder`."""
    write_for("onnx-asr", model, folder)
    quantization = "int8" if Recognizer(model).quantized else None
    loaded = onnx_asr.load_model("nemo-conformer-ctc", folder, quantization=quantization)
    return lambda samples: str(loaded.recognize(samples, sample_rate=16_000))


def main() -> None:
    """Print a table of error rates."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runtimes", description=__doc__)
    parser.add_argument("manifests", type=Path, nargs="+", help="with texts")
    parser.add_argument("--model", type=Path, default=Path("models/english-small/model.int8.onnx"))
    options = parser.parse_args()
    recognizer = Recognizer(options.model)
    decoder = model_decoder(recognizer, options.model, None, {})
    with TemporaryDirectory() as folder:
        systems = {
            "here": our_systems(recognizer, decoder)["greedy"],
            "onnx-asr": onnx_asr_system(options.model, Path(folder, "onnx-asr")),
            "sherpa-onnx": sherpa_system(options.model, Path(folder, "sherpa-onnx")),
        }
        print(markdown_table(evaluate(systems, options.manifests, recognizer.spec)))


if __name__ == "__main__":
    main()
