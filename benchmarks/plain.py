"""What one would write first: an endpoint that calls the same model, one call a request."""

import os

from fastapi import FastAPI, UploadFile

from otoscope import Recognizer, greedy, load

app = FastAPI()
MODEL = os.environ.get("PLAIN_MODEL", "models/english/model.int8.onnx")
recognizer = Recognizer(MODEL, threads=0)


@app.post("/transcribe")
async def transcribe(file: UploadFile) -> dict[str, str]:
    """The text alone; onnxruntime takes as many threads as it likes."""
    samples = load(await file.read(), recognizer.spec.features.sample_rate_hz).samples
    return {"text": greedy(recognizer.posteriors([samples])[0]).text}
