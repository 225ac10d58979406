"""What workers that decode are asked in tests, and the stages in which they are asked."""

from contextlib import contextmanager


def decode(workers, posteriors, options):
    """What a request gets, waiting here."""
    job = workers.decode(posteriors, options)
    try:
        next(job)  # waits for a worker meanwhile
        next(job)
    except StopIteration as end:
        return end.value
    raise AssertionError("expected one wait")


def stage_that(act):
    """A stage that calls `act` whenever it is entered."""

    @contextmanager
    def stage():
        act()
        yield

    return stage
