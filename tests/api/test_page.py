"""The local stack's front door: files for browsers, the API for everybody."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.faulty_engine import TEXT, FaultyEngine
from tests.api.service import Service, running
from tiza.api import page
from tiza.api.page import Page, web_folder
from tiza.errors import PageMissing

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """Make a small page."""
    files = {"index.html": "<!doctype html>", "js/main.js": "//", "style.css": "/**/"}
    files |= {"vendor/marked.js": "//", "js/types.d.ts": "secret", "i18n/es.json": "{}"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


@pytest.fixture
async def front(web: Path, engine: FaultyEngine) -> AsyncIterator[Service]:
    """Run the application behind the page."""
    async with running(lambda app: Page(app, web), vllm_api_url=engine.url) as service:
        yield service


async def test_root_is_the_page_when_a_browser_asks(front: Service) -> None:
    """`GET /` answers HTML to a browser, with a policy that allows only what the page needs."""
    answer = await front.ask("/", headers=HTML)
    assert (answer.status, answer.kind, answer.body) == (200, "text/html", b"<!doctype html>")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("accept", ["application/json", "*/*", ""])
async def test_root_is_json_when_a_program_asks(accept: str, front: Service) -> None:
    """`GET /` answers the contract's document to everybody else."""
    answer = await front.ask("/", headers={"Accept": accept})
    assert answer.json["vllm_status"] == "connected"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/index.html", "text/html"),
        ("/js/main.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/vendor/marked.js", "text/javascript"),
        ("/i18n/es.json", "application/json"),
    ],
)
async def test_file_is_served_when_it_is_part_of_the_page(
    path: str, kind: str, front: Service
) -> None:
    """Every file has its type, its policy, and is asked for again only if it changed."""
    answer = await front.ask(path)
    assert (answer.status, answer.kind) == (200, kind)
    assert "Content-Security-Policy" in answer.headers
    assert answer.headers["Cache-Control"] == "no-cache"
    again = await front.ask(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        b"/js/types.d.ts",
        b"/js",
        b"/js/",
        b"/../settings.py",
        b"/js/../../x",
        b"/%2e%2e/x",
        b"/js/%2e%2e/style.css",
        b"//style.css",
        b"/style.css/",
        b"/apis",
        b"/api/style.css",
        b"/api/js/main.js",
    ],
)
async def test_path_is_not_found_when_it_is_no_part_of_the_page(
    path: bytes, front: Service
) -> None:
    """Only the files that were there are served; everything else is the API's 404."""
    head = b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path
    answer = await front.raw(head)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"application/problem+json" in answer


@pytest.mark.parametrize("prefix", ["", "/api"])
async def test_api_is_the_same_when_it_is_asked_under_its_prefix(
    prefix: str, front: Service
) -> None:
    """`/api/*` goes to the API, plain, streamed and failed; and so do the paths themselves."""
    for path in ("/health", "/models", "/stats", "/v1/models", "/openapi.json"):
        assert (await front.ask(prefix + path)).status == 200
    answer = await front.ask(f"{prefix}/chat", {"message": "x"})
    assert answer.json["response"] == TEXT
    stream = await front.ask(f"{prefix}/chat", {"message": "x", "stream": True})
    assert stream.events[-1].data["response"] == TEXT
    refused = await front.ask(f"{prefix}/v1/completions", {})
    assert (refused.status, refused.json["error"]["code"]) == (422, "invalid_request")


async def test_api_root_is_json_when_a_browser_asks(front: Service) -> None:
    """Under the prefix there is only the API."""
    for path in ("/api", "/api/"):
        assert (await front.ask(path, headers=HTML)).json["vllm_status"] == "connected"


@pytest.mark.parametrize("prefix", ["", "/api"])
@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_documentation_finds_its_parts_when_the_page_is_in_front(
    path: str, prefix: str, front: Service
) -> None:
    """The addresses in the documentation pages exist behind the page too."""
    html = (await front.ask(prefix + path, headers=HTML)).body.decode()
    addresses = re.findall(r"""["'](/[\w./-]+\.(?:js|css|png|json))["']""", html)
    assert len(addresses) >= 3
    for address in addresses:
        assert (await front.ask(address)).status == 200, address


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/style.css", "/index.html"])
async def test_file_is_not_changed_when_it_is_written_to(
    method: str, path: str, front: Service
) -> None:
    """Files answer GET and HEAD; the rest is a problem, not a bug."""
    answer = await front.ask(path, method=method, headers=HTML)
    assert (answer.status, answer.json["code"]) == (404, "not_found")


async def test_file_is_not_found_when_it_went_away(front: Service, web: Path) -> None:
    """A page that is rebuilt under a running service is a 404 meanwhile, not a bug."""
    (web / "style.css").unlink()
    answer = await front.ask("/style.css")
    assert (answer.status, answer.json["code"]) == (404, "not_found")


async def test_file_is_gzipped_when_the_browser_takes_that(front: Service, web: Path) -> None:
    """What shrinks by it goes gzipped to whoever says so, and anew after every change."""
    (web / "style.css").write_text("p { color: red }\n" * 50)
    for taken, coding in (("gzip, br", "gzip"), ("br", None), ("gzip;q=0", None)):
        answer = await front.ask("/style.css", headers={"Accept-Encoding": taken})
        assert answer.headers.get("Content-Encoding") == coding
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.body == b"p{color:red}\n" * 50
    (web / "style.css").write_text("p { color: blue }")
    assert (await front.ask("/style.css")).body == b"p{color:blue}"


async def test_head_is_get_without_the_body_when_a_file_is_asked_for(front: Service) -> None:
    """Link checkers and monitors ask with HEAD."""
    head = b"HEAD /style.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await front.raw(head)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("missing", ["index.html", "vendor"])
def test_page_is_missing_when_its_libraries_were_not_installed(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout without the page's libraries ends in the sentence that installs them."""
    folder = tmp_path / "web"
    (folder / "vendor").mkdir(parents=True)
    (folder / "index.html").touch()
    monkeypatch.setattr(page, "__file__", str(tmp_path / "src" / "tiza" / "api" / "page.py"))
    assert web_folder() == folder
    (folder / missing).rename(folder / "elsewhere")
    with pytest.raises(PageMissing, match="make run"):
        web_folder()


def test_page_is_of_the_package_when_it_is_installed_without_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wheel carries the page inside the package."""
    folder = tmp_path / "site-packages" / "tiza" / "web"
    (folder / "vendor").mkdir(parents=True)
    (folder / "index.html").touch()
    monkeypatch.setattr(page, "__file__", str(folder.parent / "api" / "page.py"))
    assert web_folder() == folder
