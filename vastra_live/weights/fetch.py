"""Getting one file's bytes: from a web server with resumption, from Google Drive, or from a folder.

Everything arrives in a ``.part`` file, which an interruption leaves behind for the next try.
"""

from __future__ import annotations

import http.client
import io
import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from vastra_live.errors import MissingDependencyError, WeightsError
from vastra_live.weights.checkpoint import not_a_binary
from vastra_live.weights.progress import OnProgress

__all__ = ["copy_file", "discard", "fetch_drive", "fetch_url"]

_CHUNK: Final = 1 << 18
_ATTEMPTS: Final = 4
_TIMEOUT_S: Final = 30.0
_WAIT_S: Final = 1.0
_MOST_BYTES: Final = 8 << 30
"""No checkpoint here is larger; a server that keeps sending is stopped."""


def fetch_url(url: str, part: Path, size: int | None, progress: OnProgress, *, wait_s: float = _WAIT_S) -> None:
    """Download, going on where an earlier try of the same address ended.

    A part is continued only when the server says that the file is still the same (``If-Range`` with its entity tag or
    date). A lost connection is tried again, each time from where it broke.

    Args:
        url: http or https.
        part: the file that grows.
        size: in bytes, if known.
        progress: told how far it is.
        wait_s: before the second attempt; doubled for each further one.

    Raises:
        WeightsError: the server is gone or refuses, sends a web page or too much, or the disk is full.
    """
    reason = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(wait_s * 2 ** (attempt - 1))
        try:
            _continue(url, part, size, progress)
        except urllib.error.HTTPError as error:
            reason = f"the server answers {error.code} {error.reason}"
            error.close()
            if error.code < 500 and error.code != 429:
                raise WeightsError(f"{url}: {reason}") from error
        except (OSError, http.client.HTTPException) as error:
            reason = _reason(error)
        else:
            return
    have = part.stat().st_size if part.exists() else 0
    kept = f"; {have} bytes are kept, the same command continues there" if have else ""
    raise WeightsError(f"{url}: cannot be fetched ({reason}) after {_ATTEMPTS} attempts{kept}")


def _continue(url: str, part: Path, size: int | None, progress: OnProgress) -> None:
    """One connection: the rest of the file, or OSError when it breaks off."""
    start, validator = _resume_point(part, url)
    request = urllib.request.Request(url, headers={"User-Agent": "vastra-live", "Accept-Encoding": "identity"})
    if start:
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", validator)
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not start:
            raise
        # the part is no beginning of what the server has now
        discard(part)
        raise ConnectionError("the file changed on the server") from error
    with response:
        if start and not (response.status == 206 and _starts_at(response, start)):
            start = 0
        total = _total(response, start)
        _check_kind(url, response, total, size)
        _check_space(part, total, start)
        _note_origin(part, url, response)
        done = start
        most = total or size or _MOST_BYTES
        with part.open("r+b" if start else "wb", buffering=0) as file:
            file.seek(start)
            for chunk in _chunks(response):
                done += len(chunk)
                if done > most:
                    raise WeightsError(f"{url}: the server sends more than the {most} bytes expected")
                _write(file, chunk, part)
                progress(done, total)
    wanted = total or size
    if wanted is not None and done < wanted:
        raise ConnectionError(f"the connection broke off after {done} of {wanted} bytes")


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while chunk := response.read(_CHUNK):
        yield chunk


def _write(file: io.FileIO, chunk: bytes, part: Path) -> None:
    """Write through, so that a full disk is noticed here and not when the file is closed."""
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        # no reason to ask the server again; the part gives its space back
        file.close()
        discard(part)
        raise WeightsError(
            f"{part.parent}: cannot be written ({error.strerror}); free some space, or set VASTRA_WEIGHTS to "
            "another folder"
        ) from error


def _check_kind(url: str, response: http.client.HTTPResponse, total: int | None, size: int | None) -> None:
    if response.headers.get_content_type() == "text/html":
        raise WeightsError(f"{url}: answers with a web page instead of the file; fetch it by hand and use --from DIR")
    if size is not None and total is not None and total != size:
        raise WeightsError(f"{url}: has {total} bytes, the published file has {size}")


def _check_space(part: Path, total: int | None, start: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - start > free:
        raise WeightsError(
            f"{part.parent}: has {free >> 20} MB free, the file needs {(total - start) >> 20} MB more; "
            "free some space or set VASTRA_WEIGHTS to another folder"
        )


def _total(response: http.client.HTTPResponse, start: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _starts_at(response: http.client.HTTPResponse, start: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _note_origin(part: Path, url: str, response: http.client.HTTPResponse) -> None:
    """Remember which file the part is the beginning of."""
    tag = response.headers.get("ETag") or ""
    # a weak tag does not promise the same bytes
    validator = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified") or ""
    _note(part).write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")


def _resume_point(part: Path, url: str) -> tuple[int, str]:
    """Where to go on, and what the server must confirm; 0 when there is nothing to go on from."""
    try:
        note = json.loads(_note(part).read_text(encoding="utf-8"))
        same, validator = note["url"] == url, str(note["validator"])
        return (part.stat().st_size, validator) if same and validator else (0, "")
    except (OSError, ValueError, TypeError, KeyError):
        return 0, ""


def discard(part: Path) -> None:
    """Forget a part and what is known about it."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def fetch_drive(identity: str, part: Path, page: str, progress: OnProgress) -> None:
    """Download from Google Drive, whose confirmation page for large files gdown knows.

    Args:
        identity: the file's id.
        part: where to; gdown keeps a part of its own beside it and continues it.
        page: where a person can fetch the file, for messages.
        progress: told how far it is.

    Raises:
        MissingDependencyError: gdown is not installed.
        WeightsError: Drive refuses, or the disk is full.
    """
    try:
        import gdown
    except ImportError as error:
        raise MissingDependencyError(
            "files on Google Drive need gdown: pip install 'vastra-live[weights]'; or fetch the file by hand from "
            f"{page} and use --from DIR"
        ) from error
    # gdown would take anything under this name for the finished file
    discard(part)
    failures = (gdown.exceptions.DownloadError, gdown.exceptions.FileURLRetrievalError, OSError, RuntimeError)
    try:
        came = gdown.download(
            id=identity, output=str(part), quiet=True, resume=True, retries=3, timeout=_TIMEOUT_S, progress=progress
        )
    except failures as error:
        raise WeightsError(
            f"Google Drive does not hand out {identity} ({_reason(error)}); it limits popular files: try later, or "
            f"fetch it by hand from {page} and use --from DIR"
        ) from error
    if came is None:
        raise WeightsError(f"Google Drive does not hand out {identity}; fetch it by hand from {page}, then --from DIR")


def copy_file(source: Path, part: Path, progress: OnProgress) -> None:
    """Copy a file that was brought by hand.

    Raises:
        WeightsError: it cannot be read, or is no checkpoint at all, or the disk is full.
    """
    discard(part)
    try:
        with source.open("rb") as original:
            reason = not_a_binary(original.read(512))
            if reason:
                raise WeightsError(f"{source}: {reason}")
            original.seek(0)
            total, done = source.stat().st_size, 0
            _check_space(part, total, 0)
            with part.open("wb", buffering=0) as file:
                while chunk := original.read(_CHUNK):
                    _write(file, chunk, part)
                    done += len(chunk)
                    progress(done, total)
    except OSError as error:
        raise WeightsError(f"{source}: cannot be read ({error.strerror})") from error


def _reason(error: BaseException) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return " ".join(text.split())[:200] or type(cause).__name__
