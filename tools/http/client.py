"""The one way in which the tools ask outside services: from the disk, else from the network, with patience, in limits.

An answer that is fresh on the disk costs no request; an older one is compared with the service's own (ETag,
Last-Modified), and used as it is where the service is down. What may be asked at all, and how long, is decided in
`addresses`, `waiting` and `network`; what is kept, in `cache`. Nothing here reads an answer.
"""

from __future__ import annotations

import json as json_text
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from trainwright.graph.errors import NotCached, RemoteError, RemoteUnavailable

from .cache import CUT, VIA, Entry, cache_of, key_of
from .call import LIMIT, Call, Params, headers_and_body, with_query
from .once import one_at_a_time
from .service import DAY, Answer, Service, origin_of, shown, without_secrets
from .situation import check_stopped, is_offline, seconds_left, why_offline
from .waiting import LONGEST_WAIT, asked_wait, back_off, check_allowed, hold_back, take_turn, wait

if TYPE_CHECKING:
    from .exchange import Reply

__all__ = ["Fetched", "answer_to", "fetch", "fetch_json"]

_log = logging.getLogger(__name__)

LATER = "Try again later."


class Fetched(NamedTuple):
    """What JSON said, and the answer that it came in."""

    value: Any
    answer: Answer


def fetch(
    address: str,
    *,
    service: Service | None = None,
    method: str = "GET",
    params: Params | None = None,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    form: Mapping[str, Any] | None = None,
    limit: int = LIMIT,
    age: float | None = None,
    seconds: float = 60.0,
    tries: int = 3,
    cut: bool = False,
    to: Path | None = None,
    also: Collection[int] = (),
) -> Answer:
    """The answer of a service, from the disk or from the network.

    Args:
        address: a full address, or a path of `service`.
        service: who is asked. Without one the address is taken for one that the world wrote: it must be public.
        params: what is added to the query; entries that are None are left out, lists are repeated.
        headers: more of them. A log-in among them is dropped where a redirect leads to another origin.
        json: a body, sent as JSON.
        form: a body, sent as a form.
        limit: bytes of the body after decompression.
        age: seconds for which an answer on the disk is fresh; the service's when None. Negative: neither look there nor
            keep it. The answer to a POST is kept only where this is given.
        seconds: how long talking to the service may take, all tries together; waiting that it asks for is not counted.
        tries: how often it is tried.
        cut: keep the first `limit` bytes of a body that has more (`truncated`), and do not refuse it.
        to: a file that takes the body; it is written whole or not at all, and `body` stays empty.
        also: statuses beside 200 that come back as an answer and are not raised, nor tried again.

    Raises:
        NotFound: there is no such thing (404, 410).
        RemoteUnavailable: the service is down, slow or busy, after all tries.
        NotCached: the program is offline, and the answer is not on the disk.
        RemoteError: the service refuses, the answer is too large, or the address must not be asked.
    """
    full = service.address(address) if service else address
    sent, body = headers_and_body(full, service, headers, json, form)
    usual = service.age if service else DAY
    call = Call(
        method=method.upper(),
        address=with_query(full, params),
        headers=sent,
        body=body,
        service=service,
        limit=limit,
        age=age if age is not None else usual if method.upper() == "GET" else None,
        seconds=seconds,
        tries=max(tries, 1),
        cut=cut,
        to=to,
        also=tuple(also),
        own=(origin_of(service.root),) if service else (),
    )
    return answer_to(call)


def fetch_json(path_or_address: str, *, service: Service | None = None, **options: Any) -> Fetched:
    """What the service says in JSON, and the answer that it came in; `options` are those of `fetch`.

    Raises:
        RemoteError: beside what `fetch` raises: the answer is no JSON.
    """
    headers = {"accept": "application/json", **(options.pop("headers", None) or {})}
    answer = fetch(path_or_address, service=service, headers=headers, **options)
    try:
        return Fetched(answer.json(), answer)
    except RemoteError:
        cache_of().forget_address(without_secrets(answer.url)[:2000])  # so that the next call asks again
        raise


def answer_to(call: Call) -> Answer:
    """Answer a call that was made ready: the door for `fetch` and for the clients of other packages."""
    check_stopped()
    if not call.kept:
        if is_offline():
            raise not_cached(call)
        return _answer(call, _ask(call, {}))
    key = key_of(call.method, call.address, call.headers, call.body, call.limit if call.cut else None)
    with one_at_a_time(key):
        return _kept_or_asked(call, key)


def _kept_or_asked(call: Call, key: str) -> Answer:
    assert call.age is not None
    entry = cache_of().get(key)
    if entry is not None and len(entry.body) > call.limit and not call.cut:
        entry = None  # kept by a caller who allowed more
    old = entry is not None and entry.fetched + call.age < time.time()
    if is_offline() and entry is None:
        raise not_cached(call)
    if entry is not None and (is_offline() or not old):
        return _from_disk(call, entry, stale=old)
    try:
        reply = _ask(call, entry.validators if entry else {})
    except RemoteUnavailable as error:
        check_stopped()
        if entry is None:
            raise
        _log.debug("%s: the answer of the disk is used: %s", call.name, error)
        return _from_disk(call, entry, stale=True)
    if reply.status == 304 and entry is not None:
        cache_of().confirm(key)
        return _from_disk(call, replace(entry, fetched=time.time()))
    _keep(call, key, reply)
    return _answer(call, reply)


def _keep(call: Call, key: str, reply: Reply) -> None:
    if reply.status != 200 or "no-store" in reply.headers.get("cache-control", "").lower() or _is_half(reply):
        return
    headers = {**reply.headers, **({CUT: "1"} if reply.truncated else {})}
    headers[VIA] = " ".join(without_secrets(address) for address in reply.via)
    cache_of().put(key, call.name, without_secrets(reply.url)[:2000], headers, call.to or reply.body)


def _is_half(reply: Reply) -> bool:
    """Whether it calls itself JSON and is none: that must not stay for a day."""
    if "json" not in reply.headers.get("content-type", "").partition(";")[0] or not reply.body or reply.truncated:
        return False
    try:
        json_text.loads(reply.body)
    except (ValueError, RecursionError):
        return True
    return False


def _from_disk(call: Call, entry: Entry, stale: bool = False) -> Answer:
    if call.to:
        _write(call.to, entry.body)
    return Answer(
        url=entry.url,
        status=200,
        headers={name: value for name, value in entry.headers.items() if name not in (CUT, VIA)},
        body=b"" if call.to else entry.body,
        fetched=entry.fetched,
        cached=True,
        stale=stale,
        truncated=CUT in entry.headers,
        service=call.name,
        via=tuple(entry.headers.get(VIA, "").split()),
    )


def _answer(call: Call, reply: Reply) -> Answer:
    return Answer(
        url=reply.url,
        status=reply.status,
        headers=reply.headers,
        body=reply.body,
        fetched=time.time(),
        truncated=reply.truncated,
        service=call.name,
        via=reply.via,
    )


def _write(path: Path, body: bytes) -> None:
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(body)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _ask(call: Call, validators: Mapping[str, str]) -> Reply:
    """Ask the service until it answers, or the tries, the time or the patience are used up."""
    import httpx

    from .verdicts import busy_error, is_busy, judged, may_repeat, unreachable

    waited = spent = 0.0
    for attempt in range(1, call.tries + 1):
        if call.service:
            check_allowed(call.name, call.allowance)
            take_turn(call.name, call.service.pause)
        if (left := min(call.seconds - spent, seconds_left())) <= 0:
            raise RemoteUnavailable(f"{call.name} was not asked: the time for this lookup is over.", hint=LATER)
        begun = time.monotonic()
        pause: float | None = None
        try:
            reply = _exchange(call, validators, begun + left)
        except httpx.RequestError as error:
            trouble, again = unreachable(call, error), may_repeat(call, error)
        else:
            if not is_busy(call, reply):
                return judged(call, reply, bool(validators))
            pause = asked_wait(reply.headers)
            trouble, again = busy_error(call, reply, pause), call.method != "POST" or reply.status in (429, 503)
            again = again and not (reply.status == 403 and pause is None)  # a limit that does not say for how long
        spent += time.monotonic() - begun
        if pause is not None and call.service:
            hold_back(call.name, pause, call.allowance)
        delay = back_off(attempt - 1) if pause is None else pause
        _log.debug("%s: try %d of %d: %s", call.name, attempt, call.tries, trouble)
        if (
            not (again and trouble.retryable)
            or attempt == call.tries
            or waited + delay > LONGEST_WAIT
            or spent >= call.seconds
            or delay >= seconds_left()
        ):
            raise trouble
        wait(delay)
        waited += delay
    raise AssertionError("unreachable")


def _exchange(call: Call, validators: Mapping[str, str], deadline: float) -> Reply:
    from .exchange import Request, exchange

    part = call.to.with_name(call.to.name + ".part") if call.to else None
    request = Request(
        method=call.method, address=call.address, headers={**call.headers, **validators}, body=call.body, own=call.own,
        limit=call.limit, cut=call.cut, deadline=deadline, to=part, follow=call.follow,
    )  # fmt: skip
    begun = time.monotonic()
    try:
        reply = exchange(request)
        if part and call.to and reply.status == 200:
            part.replace(call.to)
    finally:
        if part:
            part.unlink(missing_ok=True)
    took = time.monotonic() - begun
    _log.debug("%s %s: HTTP %d, %d bytes, %.2f s", call.method, shown(call.address), reply.status, reply.size, took)
    return reply


def not_cached(call: Call) -> NotCached:
    return NotCached(
        f"{call.name}: {shown(call.address)} is not on the disk, and nothing was sent, since {why_offline()} was given.",
        hint="Ask once without it; after that the answer is there offline too.",
    )
