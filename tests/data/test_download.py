"""Pinned files: verified where they are, fetched where they are not."""

import hashlib
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request

import pytest

from cytobench.core.errors import DataError
from cytobench.data import download
from cytobench.data.download import Pinned, fetch, how_to_get, pinned_files, verify

CONTENT = b"id,IL-6\n1,2.5\n"
SHA = hashlib.sha256(CONTENT).hexdigest()


class Origin(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/table.csv")
            self.end_headers()
            return
        found = self.path == "/table.csv"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(CONTENT if found else b"no")

    def log_message(self, *arguments):
        del arguments


@pytest.fixture
def origin():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_is_fetched_once_and_has_the_pinned_content(origin, tmp_path):
    pinned = Pinned("study/table.csv", SHA, f"{origin}/table.csv")

    first, second = fetch(pinned, tmp_path), fetch(pinned, tmp_path)

    assert (first, second) == (len(CONTENT), 0)
    assert (tmp_path / "study" / "table.csv").read_bytes() == CONTENT


def test_another_content_is_refused_and_leaves_nothing_behind(origin, tmp_path):
    pinned = Pinned("table.csv", "0" * 64, f"{origin}/table.csv")

    with pytest.raises(DataError) as caught:
        fetch(pinned, tmp_path)

    assert caught.value.code == "E373"
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_version_is_never_overwritten(origin, tmp_path):
    (tmp_path / "table.csv").write_text("mine")

    with pytest.raises(DataError) as caught:
        fetch(Pinned("table.csv", SHA, f"{origin}/table.csv"), tmp_path)

    assert caught.value.code == "E371"
    assert (tmp_path / "table.csv").read_text() == "mine"


@pytest.mark.parametrize(("path", "code"), [("/gone", "E372"), ("/moved", "E374")])
def test_an_address_that_fails_or_leads_elsewhere_is_named(path, code, origin, tmp_path):
    with pytest.raises(DataError) as caught:
        fetch(Pinned("table.csv", SHA, origin + path), tmp_path)

    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["http://127.0.0.1/t.csv", "http://x.org/t", "ftp://x.org/t"])
def test_an_address_elsewhere_cannot_lead_to_this_machine_or_off_https(address):
    handler, answer = download._SameTrust(), io.BytesIO()

    with pytest.raises(DataError) as caught:
        handler.redirect_request(Request("https://x.org/t"), answer, 302, "", {}, address)

    assert caught.value.code == "E374"
    assert answer.closed


def test_an_answer_without_end_is_cut_off(origin, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "LARGEST", len(CONTENT) - 1)

    with pytest.raises(DataError) as caught:
        fetch(Pinned("table.csv", SHA, f"{origin}/table.csv"), tmp_path)

    assert caught.value.code == "E372"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(origin, tmp_path):
    (tmp_path / "study").write_text("a file")

    with pytest.raises(DataError) as caught:
        fetch(Pinned("study/table.csv", SHA, f"{origin}/table.csv"), tmp_path)

    assert caught.value.code == "E375"


def test_a_file_that_appears_meanwhile_is_not_replaced(origin, tmp_path, monkeypatch):
    def slow(pinned, stream):
        (tmp_path / "table.csv").write_text("mine")
        return original(pinned, stream)

    original = download._download
    monkeypatch.setattr(download, "_download", slow)

    with pytest.raises(DataError) as caught:
        fetch(Pinned("table.csv", SHA, f"{origin}/table.csv"), tmp_path)

    assert caught.value.code == "E375"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert (tmp_path / "table.csv").read_text() == "mine"


def test_nobody_there_is_said_without_a_traceback(tmp_path):
    with pytest.raises(DataError) as caught:
        fetch(Pinned("table.csv", SHA, "http://127.0.0.1:9/table.csv"), tmp_path)

    assert caught.value.code == "E372"


@pytest.mark.parametrize(
    "item",
    [
        {"file": "t.csv", "sha256": SHA, "url": "http://example.org/t.csv"},
        {"file": "t.csv", "sha256": SHA, "url": "file:///etc/passwd"},
        {"file": "../t.csv", "sha256": SHA},
        {"file": "t.csv", "sha256": "abc"},
        {"file": "t.csv", "sha256": "g" * 64},
        {"file": "t.csv", "sha256": SHA, "url": "https://"},
        {"file": "t.csv", "sha256": SHA, "url": "http://[::1"},
        {"file": "t.csv", "sha256": SHA, "url": "http://localhost@example.org/t.csv"},
        {"file": "t.csv"},
    ],
)
def test_what_must_not_be_fetched_is_refused_before_anything_is(item):
    with pytest.raises(DataError):
        pinned_files([item])


def test_a_changed_file_is_found_where_it_would_be_read(tmp_path):
    (tmp_path / "t.csv").write_bytes(CONTENT)

    verify([Pinned("t.csv", SHA), Pinned("absent.csv", SHA)], [tmp_path])
    (tmp_path / "t.csv").write_bytes(CONTENT + b"2,3\n")
    with pytest.raises(DataError) as caught:
        verify([Pinned("t.csv", SHA)], [tmp_path])

    assert caught.value.code == "E371"
    assert "verify_files=false" in caught.value.hint


def test_a_person_is_told_how_to_get_a_file():
    public = {"name": "flu", "files": [{"file": "t.csv", "sha256": SHA, "url": "https://x.org/t"}]}
    derived = {"name": "d", "files": [{"file": "t.csv", "sha256": SHA, "why": "initials removed"}]}

    assert how_to_get(public) == "cytobench fetch flu"
    assert how_to_get(derived) == "initials removed"
    assert how_to_get({"name": "c", "access": "ask them"}) == "access: ask them"
