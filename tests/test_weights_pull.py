"""Pulling from a server on this machine: whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from vastra_live.errors import MissingDependencyError, WeightsError
from vastra_live.weights import Entry, Store, progress_bar
from vastra_live.weights import fetch as fetching

CONTENT = bytes(range(256)) * 4096
SHA = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Web:
    """What the server does, and what it was asked."""

    content: bytes = CONTENT
    tag: str = '"one"'
    status: int = 200
    kind: str = "application/octet-stream"
    length: bool = True
    ranges: bool = True
    break_after: list[int] = field(default_factory=list)
    """Bytes after which each next connection breaks off; whole when the list is used up."""
    slow: threading.Event | None = None
    asked: list[str] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    def __init__(self, web: Web, *args: object) -> None:
        self.web = web
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        web, wanted = self.web, self.headers.get("Range")
        web.asked.append(wanted or "all")
        start = 0
        if wanted and web.ranges and self.headers.get("If-Range") == web.tag:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])  # type: ignore[index]
        body = web.content[start:]
        self.send_response(206 if start else web.status)
        self.send_header("Content-Type", web.kind)
        self.send_header("ETag", web.tag)
        if web.length:
            self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(web.content) - 1}/{len(web.content)}")
        self.end_headers()
        if web.slow is not None:
            web.slow.wait(10)
        self.wfile.write(body[: web.break_after.pop(0)] if web.break_after else body)

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that goes away is what some tests are about."""


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as one:
        yield one


@contextmanager
def serving(web: Web) -> Iterator[Web]:
    server = Quiet(("127.0.0.1", 0), partial(Handler, web))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    web.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching.time, "sleep", lambda _: None)


def entry(**changes: object) -> Entry:
    usual = {
        "name": "net", "file": "net.pth", "groups": ["both"], "stage": "a network", "format": "torch", "network": "net",
        "page": "https://example.org/net", "source": ["https://example.org/net.pth"], "licence": "CC BY-NC 4.0",
        "licence_url": "https://example.org/licence", "commercial": False, "size": len(CONTENT), "sha256": SHA,
    }  # fmt: skip
    return Entry(**{**usual, **changes})


def store(folder: Path, **changes: object) -> Store:
    return Store(folder / "weights", [entry(**changes)])


def pull(where: Store, web: Web, **options: object) -> Path:
    return where.pull("net", source=web.url, accept_licence=True, **options)  # type: ignore[arg-type]


def anything(_: Entry, __: Path) -> None:
    """A check that finds nothing wrong."""


def left(where: Store) -> set[str]:
    """What lies in the folder, locks and the lock file aside."""
    return {p.name for p in where.folder.iterdir() if not p.name.endswith(".lock") and p.name != "weights.lock.json"}


def test_the_file_arrives(tmp_path: Path, web: Web) -> None:
    where = store(tmp_path)
    told: list[tuple[int, int | None]] = []
    path = pull(where, web, progress=lambda done, total: told.append((done, total)))
    assert path.read_bytes() == CONTENT and path == where.path("net")
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert left(where) == {"net.pth"}


def test_what_is_there_is_not_fetched_again(tmp_path: Path, web: Web) -> None:
    where = store(tmp_path)
    pull(where, web)
    pull(where, web)
    assert web.asked == ["all"]


def test_a_broken_connection_goes_on_where_it_broke(tmp_path: Path, web: Web) -> None:
    half = len(CONTENT) // 2
    web.break_after = [half, 1000]
    assert pull(store(tmp_path), web).read_bytes() == CONTENT
    assert web.asked == ["all", f"bytes={half}-", f"bytes={half + 1000}-"]


def interrupt_at(share: float) -> Callable[[int, int | None], None]:
    def progress(done: int, total: int | None) -> None:
        if total and done >= share * total:
            raise KeyboardInterrupt

    return progress


def test_interrupted_at_half_and_resumed(tmp_path: Path, web: Web) -> None:
    where = store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        pull(where, web, progress=interrupt_at(0.5))
    assert not (where.folder / "net.pth").exists()
    have = (where.folder / ".net.pth.part").stat().st_size
    assert len(CONTENT) / 2 <= have < len(CONTENT)
    assert pull(where, web).read_bytes() == CONTENT
    assert web.asked == ["all", f"bytes={have}-"]
    assert left(where) == {"net.pth"}


@pytest.mark.parametrize("change", [{"tag": '"two"'}, {"ranges": False}, {"tag": ""}])
def test_a_part_of_another_file_is_not_continued(tmp_path: Path, web: Web, change: dict[str, object]) -> None:
    where = store(tmp_path, sha256=None, size=None)
    with pytest.raises(KeyboardInterrupt):
        pull(where, web, progress=interrupt_at(0.5))
    web.content = CONTENT[::-1]
    for name, value in change.items():
        setattr(web, name, value)
    assert pull(where, web).read_bytes() == CONTENT[::-1]


def test_without_a_tag_every_try_starts_anew(tmp_path: Path, web: Web) -> None:
    web.tag, web.break_after = "", [5000]
    assert pull(store(tmp_path), web).read_bytes() == CONTENT
    assert web.asked == ["all", "all"]


def test_a_wrong_hash_leaves_nothing(tmp_path: Path, web: Web) -> None:
    web.content = CONTENT[::-1]
    where = store(tmp_path)
    with pytest.raises(WeightsError, match=f"expected {SHA}"):
        pull(where, web)
    assert left(where) == set()


def test_a_wrong_file_does_not_replace_the_right_one(tmp_path: Path, web: Web) -> None:
    where = store(tmp_path, sha256=None, size=None)
    pull(where, web)
    (where.folder / "net.pth").write_bytes(b"changed by somebody")
    web.content = b"other" * 100
    with pytest.raises(WeightsError, match=SHA):
        pull(where, web)
    assert left(where) == {"net.pth"}


def test_a_server_that_is_gone(tmp_path: Path) -> None:
    with serving(Web()) as gone:
        pass
    where = store(tmp_path)
    with pytest.raises(WeightsError, match=r"refused.*4 attempts"):
        pull(where, gone)
    assert left(where) == set()


def test_a_server_that_goes_half_way(tmp_path: Path, web: Web) -> None:
    web.break_after = [len(CONTENT) // 2, 0, 0, 0]
    where = store(tmp_path)
    with pytest.raises(WeightsError, match=f"{len(CONTENT) // 2} bytes are kept"):
        pull(where, web)
    assert not (where.folder / "net.pth").exists()
    assert pull(where, web).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": 404}, "404"),
        ({"status": 503}, "503"),
        ({"kind": "text/html; charset=utf-8"}, "web page"),
        ({"content": CONTENT + b"more"}, "published file has"),
        ({"content": CONTENT[:-1]}, "published file has"),
        ({"content": CONTENT + b"more", "length": False}, "more than"),
        ({"content": CONTENT[:-1], "length": False}, "broke off"),
    ],
)
def test_a_server_with_something_else(tmp_path: Path, web: Web, change: dict[str, object], reason: str) -> None:
    for name, value in change.items():
        setattr(web, name, value)
    where = store(tmp_path)
    with pytest.raises(WeightsError, match=reason):
        pull(where, web)
    assert not (where.folder / "net.pth").exists()


def test_a_full_disk_is_noticed_before(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    where = store(tmp_path)
    with pytest.raises(WeightsError, match="free some space"):
        pull(where, web)
    assert left(where) == set()


FILL_THE_DISK = """
import resource, sys
from pathlib import Path
from tests.test_weights_pull import store
from vastra_live.errors import WeightsError
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
where = store(Path(sys.argv[1]))
try:
    where.pull("net", source=sys.argv[2], accept_licence=True)
except WeightsError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_disk_that_fills_up_leaves_nothing(tmp_path: Path, web: Web) -> None:
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-c", FILL_THE_DISK, str(tmp_path), web.url]
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "cannot be written (File too large); free some space" in said
    assert left(store(tmp_path)) == set()


def test_two_pulls_at_once_fetch_it_once(tmp_path: Path, web: Web) -> None:
    web.slow = threading.Event()
    where = store(tmp_path)
    paths: list[Path] = []
    pulls = [threading.Thread(target=lambda: paths.append(pull(where, web))) for _ in range(2)]
    for one in pulls:
        one.start()
    web.slow.set()
    for one in pulls:
        one.join()
    assert [p.read_bytes() for p in paths] == [CONTENT, CONTENT]
    assert web.asked == ["all"]


def test_the_licence_is_shown_and_must_be_accepted_once(tmp_path: Path, web: Web) -> None:
    where = store(tmp_path)
    with pytest.raises(WeightsError, match=r"CC BY-NC 4.0 \(https://example.org/licence\); not for commercial use"):
        where.pull("net", source=web.url)
    assert web.asked == []
    pull(where, web)
    where.path("net").unlink()
    where.pull("net", source=web.url)
    (status,) = where.status()
    assert status.accepted and status.size == len(CONTENT)
    (changed,) = Store(where.folder, [entry(licence="other")]).status()
    assert not changed.accepted


def test_the_first_hash_is_recorded_and_kept_to(tmp_path: Path, web: Web) -> None:
    where = store(tmp_path, sha256=None, size=None)
    pull(where, web)
    (status,) = where.status()
    assert status.recorded_sha256 == SHA
    where.verify("net", anything)
    where.path("net").write_bytes(b"changed")
    with pytest.raises(WeightsError, match="recorded when it first came"):
        where.verify("net", anything)


def refuse(_: Entry, path: Path) -> None:
    raise WeightsError(f"{path}: is another network's")


def test_what_the_check_refuses_never_gets_the_name(tmp_path: Path, web: Web) -> None:
    where = store(tmp_path, sha256=None, size=None)
    with pytest.raises(WeightsError, match=r"net\.pth: is another network's"):
        pull(where, web, check=refuse)
    assert left(where) == set()
    assert where.status()[0].recorded_sha256 is None


def test_a_known_hash_needs_no_check(tmp_path: Path, web: Web) -> None:
    assert pull(store(tmp_path), web, check=refuse).read_bytes() == CONTENT


def test_the_progress_bar_shows_how_far_it_is(tmp_path: Path, web: Web) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with progress_bar(console, "net.pth") as progress:
        pull(store(tmp_path), web, progress=progress)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "net.pth" in shown and "1.0/1.0 MB" in shown


def test_a_file_put_there_by_hand_is_checked_and_recorded(tmp_path: Path, web: Web) -> None:
    where = store(tmp_path, sha256=None, size=None)
    where.folder.mkdir()
    (where.folder / "net.pth").write_bytes(CONTENT)
    pull(where, web, check=anything)
    assert web.asked == []
    assert where.status()[0].recorded_sha256 == SHA


def test_a_web_page_without_a_hash_to_compare_is_refused(tmp_path: Path, web: Web) -> None:
    web.content = b"<!DOCTYPE html><title>sign in</title>"
    with pytest.raises(WeightsError, match="web page"):
        pull(store(tmp_path, sha256=None, size=None), web)


@pytest.mark.parametrize("name", ["net.pth", "gmm_final.pth"])
def test_from_a_folder_or_file_brought_by_hand(tmp_path: Path, name: str) -> None:
    where = store(tmp_path, brought_as=["gmm_final.pth"], source=[])
    stick = tmp_path / "stick"
    stick.mkdir()
    with pytest.raises(WeightsError, match=r"holds no net.pth or gmm_final.pth"):
        where.pull("net", source=str(stick), accept_licence=True)
    (stick / name).write_bytes(CONTENT)
    assert where.pull("net", source=str(stick)).read_bytes() == CONTENT
    where.path("net").unlink()
    assert where.pull("net", source=str(stick / name)).read_bytes() == CONTENT


def test_what_nobody_publishes_says_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"example.org/net.*--from"):
        store(tmp_path, source=[]).pull("net", accept_licence=True)


def test_the_next_source_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def first_fails(url: str, part: Path, *_: object) -> None:
        if "first" in url:
            raise WeightsError("the first is gone")
        part.write_bytes(CONTENT)

    monkeypatch.setattr("vastra_live.weights.store.fetch_url", first_fails)
    where = store(tmp_path, source=["https://first.example/a", "https://second.example/a"])
    assert where.pull("net", accept_licence=True).read_bytes() == CONTENT
    where = store(tmp_path / "b", source=["https://first.example/a", "https://first.example/b"])
    with pytest.raises(WeightsError, match=r"no source works: the first is gone; the first is gone"):
        where.pull("net", accept_licence=True)


def test_google_drive_goes_through_gdown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gdown = pytest.importorskip("gdown")
    asked: dict[str, object] = {}

    def download(**options: object) -> object:
        assert not Path(str(options["output"])).exists(), "gdown would take it for the finished file"
        asked.update(options)
        Path(str(options["output"])).write_bytes(CONTENT)
        return options["output"]

    monkeypatch.setattr(gdown, "download", download)
    where = store(tmp_path, source=["gdrive:1AbC"])
    where.folder.mkdir()
    (where.folder / ".net.pth.part").write_bytes(b"of another source")
    assert where.pull("net", accept_licence=True).read_bytes() == CONTENT
    assert asked["id"] == "1AbC" and asked["resume"] is True

    def too_popular(**_: object) -> object:
        raise gdown.exceptions.FileURLRetrievalError("Too many users have viewed or downloaded this file recently")

    monkeypatch.setattr(gdown, "download", too_popular)
    with pytest.raises(WeightsError, match=r"Too many users.*--from DIR"):
        store(tmp_path / "b", source=["gdrive:1AbC"]).pull("net", accept_licence=True)


def test_google_drive_without_gdown_names_the_install_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gdown", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vastra-live\[weights\]'"):
        store(tmp_path, source=["gdrive:1AbC"]).pull("net", accept_licence=True)


def test_a_damaged_lock_file_is_named(tmp_path: Path) -> None:
    where = store(tmp_path)
    where.folder.mkdir()
    (where.folder / "weights.lock.json").write_text("[")
    with pytest.raises(WeightsError, match=r"weights\.lock\.json: is damaged"):
        where.status()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("a file")
    with pytest.raises(WeightsError, match="weights: cannot be used"):
        store(tmp_path).pull("net", source=str(tmp_path), accept_licence=True)


def test_names(tmp_path: Path) -> None:
    where = store(tmp_path)
    assert [e.name for e in where.select("both")] == ["net"]
    with pytest.raises(WeightsError, match="there are both, net"):
        where.select("nothing")
    with pytest.raises(WeightsError, match="is a group; name one of net"):
        where.path("both")
    with pytest.raises(WeightsError, match="weights pull net"):
        where.path("net")


def test_many_at_once_keep_each_others_records(tmp_path: Path) -> None:
    entries = [entry(name=f"net-{i}", file=f"net-{i}.pth", sha256=None, size=None) for i in range(6)]
    for e in entries:
        (tmp_path / e.file).write_bytes(CONTENT)
    where = Store(tmp_path / "weights", entries)
    pulls = [
        threading.Thread(target=where.pull, args=(e.name,), kwargs={"source": str(tmp_path), "accept_licence": True})
        for e in entries
    ]
    for one in pulls:
        one.start()
    for one in pulls:
        one.join()
    assert all(s.recorded_sha256 == SHA and s.accepted for s in where.status())
