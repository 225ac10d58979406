"""What a stream tells of a recording that comes in pieces."""

from otoscope.longform import run_through


def pieces_of(samples, sizes):
    """Samples in pieces of these sizes, the last repeated until the end."""
    sizes = iter(sizes)
    start, size = 0, next(sizes)
    while start < samples.size:
        yield samples[start : start + size]
        start += size
        size = next(sizes, size)


def streamed(transcriber, pieces):
    """All events of a stream, in order."""
    events = []
    for piece in pieces:
        events += run_through(transcriber.feed(piece))
    return events + run_through(transcriber.flush())


def words_of(events, kind):
    """The words of all events of a kind, one after another."""
    return [word.word for event in events if isinstance(event, kind) for word in event.words]
