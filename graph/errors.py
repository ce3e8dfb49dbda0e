"""Every error that Trainwright raises on purpose, in one tree.

    TrainwrightError
    ├── RequestError          what the person asked for cannot be read (exit code 2)
    │   ├── RunNotFound       no run, or more than one, has that name
    │   └── RunBusy           another process drives the run
    ├── PaperError            the paper cannot be read, or is not a paper
    ├── DataError             the data cannot be used as they are
    ├── SandboxUnavailable    nothing here can isolate generated code
    ├── JobError              a training job could not be started, found or read
    ├── ContractError         a script broke the contract of train.py and predict.py
    ├── PublicationError      the model could not be published, or its clean run differs
    ├── Refusal               what a stage's engineer or a person at a gate handed in cannot be accepted yet
    │   └── PlanContradicted  what was found does not fit the plan
    ├── NeedsPerson           only a person can tell how to go on: the run asks and waits
    │   └── EffectAmbiguous   a side effect may or may not have happened
    ├── LimitReached          steps, seconds or dollars would pass their limit
    ├── StoreError            the run database is locked, damaged, read-only or full
    ├── ContextTooSmall       the model cannot take even the smallest request of a stage
    └── RemoteError           an outside service failed for good
        ├── ModelError        the model behind the engineer cannot go on; the run is kept and can be resumed
        ├── NotFound          it has no such thing
        ├── TooLarge          its answer has more bytes than are read
        ├── NotCached         the program is offline, and the answer is not on the disk
        └── RemoteUnavailable it is down or busy: trying again may help

A message says what happened, to which thing, and what was done about it; `hint` says what the person can do.
This module does not decide what is retried: it only carries the answer in `retryable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

__all__ = [
    "AGAIN",
    "ContextTooSmall",
    "ContractError",
    "DataError",
    "EffectAmbiguous",
    "JobError",
    "LimitReached",
    "ModelError",
    "NeedsPerson",
    "NotCached",
    "NotFound",
    "PaperError",
    "PlanContradicted",
    "PublicationError",
    "Refusal",
    "RemoteError",
    "RemoteUnavailable",
    "RequestError",
    "RunBusy",
    "RunNotFound",
    "SandboxUnavailable",
    "StoreError",
    "TooLarge",
    "TrainwrightError",
]


AGAIN = "try again"
"""The answer to a question for which something outside had to be put right first, such as a provider's credit."""


class TrainwrightError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        message: what happened, to which thing, what was done about it.
        hint: what the person can do; may be empty.
        retryable: whether the same call may succeed later without any change.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class RequestError(TrainwrightError):
    """The request itself is wrong: a flag, a name, a path that is not there."""


class RunNotFound(RequestError):
    """No run, or more than one, matches the given name."""


class RunBusy(RequestError):
    """Another process drives the run; nothing was done."""


class PaperError(TrainwrightError):
    """The paper cannot be read: scanned, encrypted, truncated, damaged, empty, or no paper at all."""


class DataError(TrainwrightError):
    """The data cannot be used as they are: the message names the file, and the row or column where known."""


class SandboxUnavailable(TrainwrightError):
    """This machine cannot isolate generated code."""


class JobError(TrainwrightError):
    """A training job could not be started, found, read or cancelled."""


class ContractError(TrainwrightError):
    """A script broke the contract of `train.py` and `predict.py`.

    Attributes:
        kind: a short stable word for the breach, such as `missing_ids` or `not_finite`.
    """

    def __init__(self, kind: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class PublicationError(TrainwrightError):
    """The model could not be published, or the published copy does not give the same score."""


class Refusal(TrainwrightError):
    """What was handed in cannot be accepted yet: who handed it in is told why, and can hand in something else."""


class PlanContradicted(Refusal):
    """What was found does not fit the plan, so that the plan must be made anew."""


class NeedsPerson(TrainwrightError):
    """Only a person can tell how to go on; the run asks, waits, and comes back to where this was raised.

    Attributes:
        key: what is asked; the answer is stored in the state's `answers` under it.
        options: the answers that are allowed; any text when empty.
    """

    def __init__(self, message: str, *, key: str, options: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.key = key
        self.options = list(options)


class EffectAmbiguous(NeedsPerson):
    """A side effect was begun before a crash, and its target cannot tell whether it happened."""


class LimitReached(TrainwrightError):
    """A limit of the run would be passed.

    Attributes:
        limit: the setting that bounds it, such as `max_usd`, or `stages.plan.max_usd` for one of a stage.
    """

    def __init__(self, limit: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.limit = limit


class StoreError(TrainwrightError):
    """The run database, or the cache of lookups, cannot be used."""


class ContextTooSmall(TrainwrightError):
    """The model's context window cannot hold even the smallest request of a stage."""


class RemoteError(TrainwrightError):
    """An outside service failed in a way that trying again will not mend."""


class ModelError(RemoteError):
    """The model behind the engineer cannot go on: no key, no credit, a request it refuses, or down for too long."""


class NotFound(RemoteError):
    """An outside service has no such thing (HTTP 404 or 410)."""


class TooLarge(RemoteError):
    """The answer of an outside service has more bytes than are read; nothing of it was kept."""


class NotCached(RemoteError):
    """The program is offline, and what was asked for is not on the disk; nothing was sent."""


class RemoteUnavailable(RemoteError):
    """An outside service is down, slow or asks to wait: trying again may help."""

    retryable: ClassVar[bool] = True
