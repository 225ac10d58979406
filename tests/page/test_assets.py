"""How the page's files are served: kept by browsers, held to a policy, from this service alone."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.page.assets import Assets
from service.settings import Settings

STATIC = Path(__file__).resolve().parents[2] / "service/page/static"
MODULES = sorted(STATIC.rglob("*.js"))


@pytest.fixture(scope="module")
def site():
    """The application, not started: its pages need no model."""
    return TestClient(create_app(Settings(api_keys="a-key")))


@pytest.fixture(scope="module")
def addresses(site):
    """Of all that index.html and docs.html load."""
    found = []
    for path in ("/", "/docs"):
        found += re.findall(r'(?:src|href)="(page/[^"]+)"', site.get(path).text)
    return [f"/{each}" for each in sorted(set(found))]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_need_no_key_and_are_asked_for_again(site, path):
    answer = site.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "{assets}" not in answer.text
    again = site.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert site.head(path).status_code == 200


def test_the_policy_allows_nothing_foreign_and_nothing_inline(site, addresses):
    for path in ("/", "/docs", *addresses):
        policy = site.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy


def test_files_are_kept_for_ever_under_an_address_of_their_version(site, addresses):
    assert len(addresses) > 8
    for address in addresses:
        answer = site.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
        again = site.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_another_version_and_unknown_files_are_not_found(site, addresses):
    [style] = [each for each in addresses if each.endswith("base.css")]
    version = style.split("/")[2]
    for wrong in (
        style.replace(version, "0" * 16),
        style.replace("base.css", "none.css"),
        f"/page/{version}/static/../assets.py",
        f"/page/{version}/static/%2e%2e/assets.py",
        f"/page/{version}/",
    ):
        answer = site.get(wrong)
        assert answer.status_code == 404, wrong
        assert answer.headers["content-type"] == "application/problem+json"


def test_any_change_is_another_version(tmp_path):
    (tmp_path / "a.js").write_text("1", encoding="utf-8")
    (tmp_path / "secret.py").write_text("2", encoding="utf-8")
    before = Assets({"static": tmp_path}).version
    assert Assets({"static": tmp_path}).version == before
    (tmp_path / "secret.py").write_text("3", encoding="utf-8")
    assert Assets({"static": tmp_path}).version == before  # what is not served is no part of it
    (tmp_path / "a.js").write_text("2", encoding="utf-8")
    assert Assets({"static": tmp_path}).version != before
    assert Assets({"static": tmp_path / "none"}).version


def test_without_a_sample_none_is_offered(tmp_path):
    assert b'data-sample=""' in Assets({"static": STATIC, "examples": tmp_path}).document(
        "static/index.html"
    )
    assert b'/examples/sample.flac"' in Assets().document("static/index.html")


def test_every_module_that_is_imported_is_served(site, addresses):
    [main] = [each for each in addresses if each.endswith("main.js")]
    base = main.removesuffix("main.js")
    for module in MODULES:
        text = module.read_text(encoding="utf-8")
        folder = module.parent.relative_to(STATIC / "js")
        for name in re.findall(r'from "(\.[^"]+)"', text):
            assert site.get(f"{base}{folder.as_posix()}/{name}").status_code == 200, (module, name)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_are_small_and_say_what_they_are(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("/**")
    assert len(text.splitlines()) < 300


def test_nothing_names_another_place(site):
    for path in STATIC.rglob("*"):
        if path.suffix in (".js", ".css", ".html"):
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            foreign = re.findall(r"(?:https?:)?//[a-z][^\s\"']+", text.replace("/** ", ""))
            assert [each for each in foreign if "localhost" not in each and "http" in each] == []
