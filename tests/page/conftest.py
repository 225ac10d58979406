"""Debian's Chromium on the service as it is started, with a model that knows the sample.

A browser lives as long as a module, not as long as the session: Playwright runs an event loop in
this thread, beside which no test of another folder could start its own.
"""

import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from running_service import running_service

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples/sample.flac"
WAIT_MS = 60_000
PAUSE_S = 1.5
INSECURE = "speech.test"


@pytest.fixture(scope="session")
def chromium():
    """The browser's program; the tests are skipped where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium: apt-get install chromium")
    return program


@pytest.fixture(scope="session")
def spoken_wav(tmp_path_factory):
    """What the browser's fake microphone hears, over and over: a pause, and the sample."""
    samples, rate_hz = soundfile.read(SAMPLE)
    path = tmp_path_factory.mktemp("microphone") / "sample.wav"
    soundfile.write(path, np.append(np.zeros(round(PAUSE_S * rate_hz)), samples), rate_hz)
    return path


@pytest.fixture(scope="module")
def browser(chromium, spoken_wav):
    reason = "playwright is not installed: pip install -e '.[dev]'"
    playwright_api = pytest.importorskip("playwright.sync_api", reason=reason)
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",  # for tests that run as root, as in containers
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={spoken_wav}",
                f"--host-resolver-rules=MAP {INSECURE} 127.0.0.1",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """A context manager: a service with this model and these settings, giving its address."""

    def start(model, **settings):
        store_path = tmp_path_factory.mktemp("service") / "results.sqlite3"
        return running_service(store_path, OTOSCOPE_MODEL_PATH=str(model), **settings)

    return start


@pytest.fixture(scope="session")
def address(serve, sentence_model):
    """A service without keys."""
    with serve(sentence_model) as address:
        yield address


@pytest.fixture(scope="session")
def writing_address(serve, written_model):
    """A service with a punctuation model, too."""
    with serve(written_model) as address:
        yield address


class Watched:
    """A page, and what it did that no page of this service may do.

    Attributes:
        expected: statuses of errors that a test provokes: the browser tells of each.
    """

    def __init__(self, page, address):
        self.page, self.expected, self.faults = page, set(), []
        self._origin = urlsplit(address).netloc
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", self._on_request)

    def _on_console(self, message):
        told = message.type in ("error", "warning")
        if told and not any(f"status of {status} " in message.text for status in self.expected):
            self.faults.append(f"console: {message.text}")

    def _on_request(self, request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("blob", "data") and parts.netloc != self._origin:
            self.faults.append(f"foreign: {request.url}")


@pytest.fixture(scope="module")
def open_page(browser):
    """A context manager: a page at an address, held to having no faults in the end."""

    @contextmanager
    def opened(address, path="/", *, width=1280, height=900, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            permissions=["microphone", "clipboard-read", "clipboard-write"],
            accept_downloads=True,
        )
        context.set_default_timeout(WAIT_MS)
        watched = Watched(context.new_page(), address)
        watched.page.goto(address + path)
        yield watched
        context.close()
        assert watched.faults == []

    return opened


@pytest.fixture
def watched(open_page, address):
    with open_page(address) as watched:
        yield watched


@pytest.fixture
def page(watched):
    """The page as it first looks."""
    return watched.page


@pytest.fixture(scope="module")
def run(open_page, address):
    """Call a function of a module's exports, and of what loads another; what it gives is JSON."""

    def call(module, code):
        script = f"""async () => {{
            const base = document.querySelector("script[type=module]").src.replace("main.js", "");
            const load = (name) => import(base + name);
            return ({code})(await load("{module}"), load);
        }}"""
        return watched.page.evaluate(script)

    with open_page(address) as watched:
        yield call


@pytest.fixture
def heard(page):
    """The page when it shows the example."""
    hear_example(page)
    return page


def hear_example(page):
    """Have the example transcribed, and wait until all about it is shown."""
    page.get_by_role("button", name="Try the example").click()
    page.locator("#text ruby").first.wait_for()  # the comparison comes last
    page.locator("#play:enabled").wait_for()
    page.locator("#symbols .symbol").first.wait_for()


@pytest.fixture(scope="session")
def eventually():
    """Wait until something is so: the page's policy forbids Playwright's `wait_for_function`."""

    def wait(page, is_so):
        deadline_s = time.monotonic() + WAIT_MS / 1000
        while not is_so():
            assert time.monotonic() < deadline_s, "the condition was never met"
            page.wait_for_timeout(20)

    return wait


@pytest.fixture(scope="session")
def insecure_host():
    """A name of this machine at which browsers trust no page without TLS."""
    return INSECURE


@pytest.fixture(scope="session")
def sample():
    return SAMPLE


@pytest.fixture(scope="session")
def recognize():
    return hear_example
