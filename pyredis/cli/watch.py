"""How far a follower's synchronisation has come, read from INFO; no socket, no clock of its own."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ..util.numbers import human_bytes
from ..util.progress import bar

Info = dict[str, str]
RATE_WINDOW: Final = 3.0
"""Seconds over which a rate is the mean."""


class State(Enum):
    """What a follower is at; the values are those ``--json`` shows."""

    CONNECTING = "connecting"
    RECEIVING = "receiving"
    LOADING = "loading"
    CATCHING_UP = "catching_up"
    IN_SYNC = "in_sync"
    NOT_FOLLOWING = "not_following"


@dataclass(frozen=True, slots=True)
class Progress:
    """One look at a follower."""

    state: State
    done: int = 0
    """Bytes received or loaded."""
    total: int | None = None
    """Of how many; None if the leader has not said (a diskless transfer)."""
    rate: float = 0.0
    """Bytes per second."""
    offset: int = 0
    """How much of the stream is applied."""
    lag: int | None = None
    """Bytes of the stream that the leader has and the follower has not; None if the leader cannot be asked."""
    down: int = 0
    """Seconds without a link."""
    attempt: int = 1
    """The how-manieth transfer this is."""

    @property
    def percent(self) -> float | None:
        """Of a transfer or a load whose size is known."""
        return None if not self.total else min(100.0, self.done * 100 / self.total)

    @property
    def seconds_left(self) -> int | None:
        """At the present rate."""
        if self.total is None or self.rate <= 0:
            return None
        return int(max(0, self.total - self.done) / self.rate)

    def as_dict(self) -> dict[str, object]:
        """What ``--json`` prints, always the same keys."""
        percent = self.percent
        return {
            "state": self.state.value,
            "bytes": self.done,
            "total_bytes": self.total,
            "percent": None if percent is None else round(percent, 2),
            "bytes_per_second": round(self.rate),
            "seconds_left": self.seconds_left,
            "offset": self.offset,
            "lag_bytes": self.lag,
            "link_down_seconds": self.down,
            "attempt": self.attempt,
        }

    def as_text(self) -> str:
        """A line for people."""
        match self.state:
            case State.CONNECTING:
                waited = f" for {self.down} s" if self.down > 1 else ""
                return f"connecting{waited}"
            case State.RECEIVING if not self.done:
                return "waiting for the leader's snapshot"
            case State.RECEIVING | State.LOADING:
                again = f" (attempt {self.attempt})" if self.attempt > 1 else ""
                return f"{self.state.value:<9} {self._amount()}{again}"
            case State.CATCHING_UP:
                return "catching up" if self.lag is None else f"catching up, {human_bytes(self.lag)} behind"
            case State.IN_SYNC:
                behind = "" if self.lag is None else f", {human_bytes(self.lag)} behind"
                return f"in sync at offset {self.offset}{behind}"
        return "follows nobody"

    def _amount(self) -> str:
        words = [human_bytes(self.done)]
        if self.total is not None:
            words = [bar(self.done, self.total), f"{human_bytes(self.done)} of {human_bytes(self.total)}"]
        if self.rate:
            words.append(f"{human_bytes(round(self.rate))}/s")
        if (left := self.seconds_left) is not None:
            words.append(f"{left // 60}:{left % 60:02d} left")
        return "  ".join(words)


class SyncWatch:
    """Feed it INFO of a follower, again and again; ``look`` says how far it has come.

    A follower is in sync when it has applied what the leader had at the first look at which the link was up: a
    leader that is written to is always some bytes ahead.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()
        self._state = State.CONNECTING
        self._transfers = 0
        self._received = 0
        self._goal: int | None = None

    def look(self, follower: Info, leader_offset: int | None, now: float) -> Progress:
        """*follower* is INFO replication and persistence, *leader_offset* was asked for just before it."""
        state = _state(follower)
        done, total = _amounts(follower, state)
        if state is State.RECEIVING:
            if self._state not in (State.RECEIVING, State.LOADING) or done < self._received:
                self._transfers += 1
                self._samples.clear()
            self._received = done
        if state is not self._state:
            self._samples.clear()
        self._state = state
        offset = _number(follower, "slave_repl_offset")
        lag = None
        if state is State.CATCHING_UP:
            if self._goal is None:
                self._goal = offset if leader_offset is None else leader_offset
            if offset >= self._goal:
                state = State.IN_SYNC
            lag = None if leader_offset is None else max(0, leader_offset - offset)
        else:
            self._goal = None
        down = max(0, _number(follower, "master_link_down_since_seconds"))
        return Progress(state, done, total, self._rate(done, now), offset, lag, down, max(1, self._transfers))

    def _rate(self, done: int, now: float) -> float:
        samples = self._samples
        samples.append((now, done))
        while len(samples) > 2 and now - samples[0][0] > RATE_WINDOW:
            samples.popleft()
        seconds = now - samples[0][0]
        return max(0.0, (done - samples[0][1]) / seconds) if seconds > 0 else 0.0


def _state(follower: Info) -> State:
    if follower.get("role") != "slave":
        return State.NOT_FOLLOWING
    if follower.get("master_link_status") == "up":
        return State.CATCHING_UP
    if follower.get("loading") == "1" or follower.get("async_loading") == "1":
        return State.LOADING
    return State.RECEIVING if follower.get("master_sync_in_progress") == "1" else State.CONNECTING


def _amounts(follower: Info, state: State) -> tuple[int, int | None]:
    if state is State.LOADING:
        return _number(follower, "loading_loaded_bytes"), _number(follower, "loading_total_bytes") or None
    if state is State.RECEIVING:
        total = _number(follower, "master_sync_total_bytes")
        return _number(follower, "master_sync_read_bytes"), total if total > 0 else None
    return 0, None


def _number(fields: Info, name: str) -> int:
    try:
        return int(fields.get(name, "0"))
    except ValueError:
        return 0
