"""Which of this project's functions are being called."""

from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]


def stack(frame: FrameType | None) -> list[str]:
    """This project's functions on the stack of `frame`, the outermost first, as file:function."""
    calls = []
    while frame is not None:
        path, name = Path(frame.f_code.co_filename), frame.f_code.co_qualname
        room = path.is_relative_to(ROOT) and path.relative_to(ROOT)
        if room and room.parts[0] in ("otoscope", "service") and "<" not in name:
            calls.append(f"{room}:{name}")
        frame = frame.f_back
    return calls[::-1]
