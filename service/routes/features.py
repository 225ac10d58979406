"""GET /features: X, the matrix that the acoustic model read."""

import json
from functools import partial

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Request, Response

from otoscope import FeatureMatrix, FrameClock
from otoscope.formats import MATRIX_FORMATS, MatrixFormat
from otoscope.formats.tables import rows_within, times_s, to_csv, to_json, to_npy
from otoscope.plots import features_png
from otoscope.schemas import FeaturesAnswer
from otoscope.strict import dump
from service.dependencies import Services, ServicesDep
from service.http.negotiation import negotiate
from service.http.plots import check_span
from service.http.queries import FeaturesQuery, FeaturesQueryDep
from service.http.responses import (
    IfNoneMatch,
    cached_response,
    compute,
    format_responses,
    frame_headers,
    key_of,
)

router = APIRouter(tags=["transcription"])

SPEC_HEADER = "Otoscope-Feature-Spec"


@router.get(
    "/features",
    response_model=FeaturesAnswer,
    responses=format_responses(
        *(404, 406, 410, 422, 503),
        headers={SPEC_HEADER: "How X was computed, JSON: `spec` of the JSON answer."},
    ),
    summary="X, the features of a transcription as the model read them",
)
async def features(
    request: Request,
    services: ServicesDep,
    query: FeaturesQueryDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One row a frame, one column a bin, exactly as the model read them.

    As JSON; as CSV, with a header row, `time_s` first; as `numpy.load` reads it (float32); or as a
    PNG picture, of a minute at most. 404 if the id never existed, 410 if its result is no longer
    kept.
    """
    form = negotiate(query.format, request.headers.getlist("accept"), MATRIX_FORMATS, "format")
    work = partial(_of_result, services, query, form, if_none_match)
    return await compute(services.pool, form, work)


def _of_result(
    services: Services, query: FeaturesQuery, form: MatrixFormat, if_none_match: str | None
) -> Response:
    """The answer about what the store holds, in a thread."""
    kept = services.store.find(query.id)
    whole = services.store.features(query.id)
    spec = whole.spec
    clock = FrameClock(spec.hop_s, kept.duration_s)
    span_s, rows = rows_within(clock, whole.values.shape[0], query.from_s, query.to_s)
    times = times_s(clock, rows)
    if form == "png":
        check_span(span_s)

    def write() -> bytes:
        if form == "png":
            return features_png(whole, span_s)
        return _write(query.id, FeatureMatrix(whole.values[rows], spec), times, form)

    headers = {
        **frame_headers(spec.hop_s, times[0]),
        SPEC_HEADER: json.dumps(dump(spec), separators=(",", ":")),
    }
    return cached_response(
        kept,
        key_of("/features", query.id, query),
        form,
        if_none_match=if_none_match,
        headers=headers,
        write=write,
    )


def _write(
    result_id: str, part: FeatureMatrix, times: npt.NDArray[np.float64], form: MatrixFormat
) -> bytes:
    """The body in numbers."""
    spec, values = part.spec, part.values
    if form == "npy":
        return to_npy(values)
    if form == "csv":
        name = "mel" if spec.kind == "log_mel" else "mfcc"
        return to_csv([f"{name}_{place}" for place in range(spec.bins)], times, values)
    return to_json(
        {
            "id": result_id,
            "spec": dump(spec),
            "frame_s": spec.hop_s,
            "start_s": float(times[0]),
            "shape": values.shape,
            "features": values,
        }
    )
