"""Replies as the debugger's console shows them (eval.c ldbRedisProtocolToHuman)."""

from __future__ import annotations

from ..util.quoting import quote

BRACKETS = {ord("*"): (b"[", b"]"), ord("~"): (b"~(", b")")}


def human(reply: bytes) -> bytes:
    """*reply*, one whole RESP2 or RESP3 frame, on one line."""
    return _frame(reply, 0)[0]


def _frame(reply: bytes, start: int) -> tuple[bytes, int]:
    """The frame at *start*, and where the next one begins."""
    end = reply.index(b"\r\n", start)
    kind, head, after = reply[start : start + 1], reply[start + 1 : end], end + 2
    match kind:
        case b":":
            return head, after
        case b"+" | b"-":
            return quote(kind + head), after
        case b"_":
            return b"(null)", after
        case b"#":
            return (b"#true" if head == b"t" else b"#false"), after
        case b",":
            return b"(double) " + head, after
        case b"$" | b"=":
            if head == b"-1":
                return b"NULL", after
            stop = after + int(head)
            return quote(reply[after:stop]), stop + 2
        case b"*" | b"~" | b"%":
            return _aggregate(reply, kind, int(head), after)
    return b"", after


def _aggregate(reply: bytes, kind: bytes, count: int, after: int) -> tuple[bytes, int]:
    if count < 0:
        return b"NULL", after
    parts = []
    for _ in range(count):
        part, after = _frame(reply, after)
        if kind == b"%":
            value, after = _frame(reply, after)
            part += b" => " + value
        parts.append(part)
    opening, closing = (b"{", b"}") if kind == b"%" else BRACKETS[kind[0]]
    return opening + b",".join(parts) + closing, after
