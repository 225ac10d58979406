"""GET /features: X, the matrix that the acoustic model read."""

import json
from functools import partial

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Request, Response

from otoscope import FeatureMatrix, FrameClock
from otoscope.formats import FORMATS, MATRIX_FORMATS, MatrixFormat
from otoscope.formats.tables import to_csv, to_json, to_npy
from otoscope.plots import features_png
from otoscope.schemas import FeaturesAnswer
from otoscope.strict_json import dump
from service.dependencies import Services, ServicesDep
from service.http.caching import IfNoneMatch, conditional_response, result_etag, result_headers
from service.http.negotiation import negotiate
from service.http.plots import check_span
from service.http.queries import SINGLE, FeaturesQuery, FeaturesQueryDep
from service.http.responses import frame_headers, matrix_responses

router = APIRouter(tags=["transcription"], dependencies=[SINGLE])

SPEC_HEADER = "Otoscope-Feature-Spec"


@router.get(
    "/features",
    response_model=FeaturesAnswer,
    responses=matrix_responses(
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
    chosen = negotiate(query.format, request.headers.getlist("accept"), MATRIX_FORMATS, "format")
    work = partial(_of_result, services, query, chosen, if_none_match)
    # Pictures take their turn with the recordings.
    pool = services.pool if chosen == "png" else services.reading_pool
    return await pool.run(work)


def _of_result(
    services: Services, query: FeaturesQuery, chosen: MatrixFormat, if_none_match: str | None
) -> Response:
    """The response about what the store holds, in a thread."""
    stored = services.store.find(query.id)
    features = services.store.features(query.id)
    spec = features.spec
    clock = FrameClock(spec.hop_s, stored.duration_s)
    span_s, rows = clock.part(features.values.shape[0], query.from_s, query.to_s)
    times = clock.centers_s(rows)
    if chosen == "png":
        check_span(span_s)

    def render() -> bytes:
        if chosen == "png":
            return features_png(features, span_s)
        return _render(query.id, FeatureMatrix(features.values[rows], spec), times, chosen)

    headers = {
        **frame_headers(spec.hop_s, times[0]),
        SPEC_HEADER: json.dumps(dump(spec), separators=(",", ":")),
        **result_headers(stored.expires_in_s),
    }
    etag = result_etag("/features", query, stored.model_sha256, chosen)
    return conditional_response(etag, if_none_match, render, FORMATS[chosen].media_type, headers)


def _render(
    result_id: str, part: FeatureMatrix, times: npt.NDArray[np.float64], chosen: MatrixFormat
) -> bytes:
    """The body in numbers."""
    spec, values = part.spec, part.values
    if chosen == "npy":
        return to_npy(values)
    if chosen == "csv":
        name = "mel" if spec.has_mel_bins else "mfcc"
        return to_csv([f"{name}_{index}" for index in range(spec.bins)], times, values)
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
