"""Sending a short notice to the addresses that a person configured, through Apprise, which knows some hundred services.

All addresses are tried at the same time, each one again after a busy answer, a failure of the server or no answer at
all, and everything together ends in time whatever the other sides do. A notice that was not answered in time may have
arrived all the same, so that trying again may bring it twice. What is said, to whom and whether it may be, is decided
elsewhere; addresses never appear in what comes back, since most of them hold a key.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from apprise import NotifyBase

__all__ = ["SECONDS", "WAITS", "Address", "Delivery", "addresses", "send"]

SECONDS = 10.0
"""How long sending takes at most, all addresses and all tries together."""

WAITS = (1.0, 2.0, 4.0)
"""Seconds before the second, the third and the fourth try."""

SHORTEST = 0.5
"""Seconds that a try needs to be worth beginning."""

TIME_OUT = 4.0
"""Seconds for which one try waits for a connection, and for each piece of an answer."""

Level = Literal["info", "success", "warning", "failure"]


@dataclass(frozen=True)
class Address:
    """One address.

    Attributes:
        number: its place in the list that was given, from 0.
        url: the address itself; a secret.
        schema: the kind of service, such as `mailto`; empty where the address is none.
        host: the machine that it goes to; empty where the service has its own, and where a key stands in its place.
    """

    number: int
    url: str
    schema: str
    host: str = ""

    @property
    def name(self) -> str:
        """What it is called in messages; nothing secret is in it."""
        return f"address {self.number + 1} ({self.schema})" if self.schema else f"address {self.number + 1}"


class Delivery(NamedTuple):
    """What became of a notice at one address; `problem` is empty where it was taken."""

    address: Address
    problem: str


def addresses(urls: Sequence[str]) -> list[Address]:
    """The addresses of a list, each destination once; one that Apprise cannot read has no schema."""
    found: dict[str, Address] = {}
    for number, url in enumerate(urls):
        service = _service(url)
        if service is None:
            found.setdefault(url, Address(number, url, ""))
            continue
        host = str(service.host or "") if "host" in service.template_tokens else ""
        same = str(service.url())  # type: ignore[no-untyped-call]  # in one spelling
        found.setdefault(same, Address(number, url, same.partition("://")[0], host))
    return list(found.values())


def send(
    to: Sequence[Address],
    title: str,
    body: str,
    level: Level = "info",
    *,
    seconds: float = SECONDS,
    waits: Sequence[float] = WAITS,
) -> list[Delivery]:
    """Send a notice; returns what became of it, in the order of `to`, and raises nothing."""
    until = time.monotonic() + seconds
    outcomes: dict[int, str] = {}

    def deliver(place: int, address: Address) -> None:
        outcomes[place] = _deliver(address, (title, body, level), until, waits)

    # Daemons: a server that lets its answer drip can hold one for ever, and must hold neither the run nor its end.
    threads = [threading.Thread(target=deliver, args=pair, daemon=True) for pair in enumerate(to)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    late = f"no answer within {seconds:g} s"
    return [Delivery(address, outcomes.get(place, late)) for place, address in enumerate(to)]


@cache
def _apprise() -> ModuleType:
    """Apprise with all its services loaded, some of which import modules that are deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        apprise.Apprise.instantiate("json://localhost/")
    return apprise


def _service(url: str) -> NotifyBase | None:
    apprise = _apprise()
    # Its own description of itself goes into mails and user agents; nothing is stored on disk.
    asset = apprise.AppriseAsset(app_id="Trainwright", app_desc="Trainwright", app_url="", storage_mode="memory")
    with _Heard():
        try:
            service: NotifyBase | None = apprise.Apprise.instantiate(url, asset=asset)
        except Exception:  # noqa: BLE001 - some services raise at an address that they cannot read
            return None
    return service


def _deliver(address: Address, notice: tuple[str, str, Level], until: float, waits: Sequence[float]) -> str:
    """Why the notice was not taken; empty if it was."""
    tries = 0
    for wait in (*waits, None):
        problem, again = _try(address, notice, until)
        tries += 1
        if not problem:
            return ""
        if not again or wait is None or time.monotonic() + wait + SHORTEST > until:
            break
        time.sleep(wait)
    return f"{problem} ({tries} tries)" if tries > 1 else problem


def _try(address: Address, notice: tuple[str, str, Level], until: float) -> tuple[str, bool]:
    """Why one try failed, empty if it did not, and whether another may do better."""
    # A new one each time: Apprise makes one that has just failed wait for some seconds of its own.
    service = _service(address.url)
    if service is None:
        return "Apprise cannot read the address", False
    left = max(SHORTEST, min(TIME_OUT, until - time.monotonic()))
    service.socket_connect_timeout = service.socket_read_timeout = left
    title, body, level = notice
    with _Heard() as heard:
        try:
            kind, plain = _apprise().NotifyType(level), _apprise().NotifyFormat.TEXT
            if service.notify(body=body, title=title, notify_type=kind, body_format=plain):
                return "", False
        except Exception as error:  # noqa: BLE001 - a hundred services, each with errors of its own
            return f"{type(error).__name__}", False
    return heard.problem()


_CODE = re.compile(r"\berror=(\d{3})\b")
"""How all of Apprise's services report the code of an HTTP answer; its own result is only yes or no."""


class _Heard(logging.Filter):
    """Takes in what Apprise says in this thread, and lets nothing of it into a log: it quotes addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.thread, self.said = threading.get_ident(), ""

    def __enter__(self) -> _Heard:
        logging.getLogger("apprise").addFilter(self)
        return self

    def __exit__(self, *_: Any) -> None:
        logging.getLogger("apprise").removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the text of a record of this thread; pass on those of others."""
        if record.thread == self.thread:
            self.said += f"{record.getMessage()}\n"
        return record.thread != self.thread

    def problem(self) -> tuple[str, bool]:
        """What went wrong, without the text itself; whether to try again."""
        if code := _CODE.search(self.said):
            return f"HTTP {code[1]}", code[1] in ("408", "425", "429") or code[1].startswith("5")
        return "no connection, no answer, or a refusal without a reason", True
