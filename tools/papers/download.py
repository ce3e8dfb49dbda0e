"""A file from an address, with limits on its size, its time and its redirects."""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path

from trainwright.graph.errors import PaperError, RemoteError, RemoteUnavailable

__all__ = ["DOWNLOAD_SECONDS", "SIZE_LIMIT", "TRIES", "USER_AGENT", "download"]

SIZE_LIMIT = 64 * 2**20
"""Bytes of a paper's file."""

DOWNLOAD_SECONDS = 120.0
"""Seconds that a download may take as a whole."""

TRIES = 3
RETRY_SECONDS = 1.0
"""Pause before the second try; it doubles."""

USER_AGENT = f"trainwright/{version('trainwright')}"
_BUSY = (408, 425, 429, 500, 502, 503, 504)


def download(address: str, target: Path) -> str:
    """Fetch `address` into `target`; returns the media type that the server states, in lower case.

    Raises:
        PaperError: there is nothing at this address, or it is too large.
        RemoteUnavailable: the server is down, busy or too slow: trying later may help.
        RemoteError: the server refuses.
    """
    for attempt in range(TRIES):
        try:
            return _download(address, target)
        except RemoteError as error:
            if not error.retryable or attempt + 1 == TRIES:
                raise
            time.sleep(RETRY_SECONDS * 2**attempt)
    raise AssertionError("unreachable")


def _download(address: str, target: Path) -> str:
    import httpx

    deadline = time.monotonic() + DOWNLOAD_SECONDS
    part = target.with_name(target.name + ".part")
    try:
        with (
            httpx.Client(follow_redirects=True, max_redirects=5, timeout=20.0) as client,
            client.stream("GET", address, headers={"user-agent": USER_AGENT}) as answer,
        ):
            _check_status(address, answer.status_code)
            _check_size(address, int(answer.headers.get("content-length") or 0))
            size = 0
            with part.open("wb") as file:
                for chunk in answer.iter_bytes(2**16):
                    size += len(chunk)
                    _check_size(address, size)
                    if time.monotonic() > deadline:
                        raise RemoteUnavailable(f"{address} took more than {DOWNLOAD_SECONDS:.0f} s; it was given up.")
                    file.write(chunk)
            media = str(answer.headers.get("content-type", "")).split(";")[0].strip().lower()
        part.replace(target)
        return media
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as error:
        raise PaperError(
            f"{address} is no address that can be fetched: {error}.", hint="Give an http(s) URL."
        ) from error
    except httpx.TooManyRedirects as error:
        raise RemoteError(f"{address} redirects without end.", hint="Download the paper, and give the file.") from error
    except httpx.HTTPError as error:
        raise RemoteUnavailable(
            f"{address} cannot be reached: {_reason(error)}.",
            hint="Check the network and the address, or download the paper and give the file.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:160]
    return text or type(error).__name__


def _check_status(address: str, status: int) -> None:
    if status == 200:
        return
    if status in (404, 410):
        raise PaperError(f"There is nothing at {address} (HTTP {status}).", hint="Check the address.")
    if status in _BUSY:
        raise RemoteUnavailable(f"{address} is down or busy (HTTP {status}).", hint="Try again in a few minutes.")
    raise RemoteError(
        f"{address} refuses the download (HTTP {status}).",
        hint="Open it in a browser, save the PDF, and give the file.",
    )


def _check_size(address: str, size: int) -> None:
    if size > SIZE_LIMIT:
        raise PaperError(
            f"{address} has more than {SIZE_LIMIT // 2**20} MiB.", hint="A paper has less: give the PDF of the paper."
        )
