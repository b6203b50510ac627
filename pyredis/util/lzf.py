"""LZF, the compression of long strings in RDB files: literal runs and references up to 8 KB back.

A control byte below 32 starts a run of that many bytes plus one.  Otherwise its upper three bits are
the length of a copy less two, 7 meaning that a byte with more follows; its lower five bits and the
next byte are the distance less one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

_LONGEST_RUN = 32
_LONGEST_COPY = 264
_FARTHEST = 8192
_LEAST_GAIN = 4  # rdbSaveLzfStringObject: fewer bytes saved are not worth it


def compress(data: bytes | bytearray) -> bytes | None:
    """*data* compressed, or None unless that saves at least four bytes.

    Takes 0.4 us per byte of text in Python, much less for repetitive or random data; with the
    ``lzf`` module (python-neo-lzf) installed 4 ns.
    """
    limit = len(data) - _LEAST_GAIN
    if limit <= 0:
        return None
    native = _native()
    if native is not None:
        packed: bytes | None = native.compress(bytes(data), limit)
        return packed
    return compress_in_python(bytes(data), limit)


def decompress(data: bytes | bytearray, expected_len: int) -> bytes:
    """The *expected_len* bytes that were compressed to *data*; ValueError if they were not."""
    native = _native()
    if native is None or expected_len <= 0:
        return decompress_in_python(bytes(data), expected_len)
    unpacked: bytes | None = native.decompress(bytes(data), expected_len)
    if unpacked is None or len(unpacked) != expected_len:
        raise ValueError("corrupt LZF data")
    return unpacked


@cache
def _native() -> Any:
    try:
        import lzf
    except ImportError:
        return None
    return lzf


def compress_in_python(data: bytes, limit: int) -> bytes | None:
    """*data* compressed to at most *limit* bytes, or None."""
    out = bytearray()
    put = out.append
    seen: dict[bytes, int] = {}
    remember = seen.setdefault
    i = run = misses = 0
    end = len(data)
    last = end - 2
    while i < last:
        key = data[i : i + 3]
        back = remember(key, i)
        distance = i - back - 1
        if not 0 <= distance < _FARTHEST:
            if distance >= 0:
                seen[key] = i
            # Data that does not repeat is skipped through ever faster, as LZ4 does.
            misses += 1
            i += 1 + (misses >> 6)
            continue
        misses = 0
        seen[key] = i
        size = _common(data, back, i, min(end - i, _LONGEST_COPY))
        if run < i:
            _put_run(out, data, run, i)
        if size < 9:
            put((size - 2) << 5 | distance >> 8)
        else:
            put(7 << 5 | distance >> 8)
            put(size - 9)
        put(distance & 0xFF)
        i += size
        run = i
        seen[data[i - 2 : i + 1]] = i - 2
        seen[data[i - 1 : i + 2]] = i - 1
        if len(out) > limit:
            return None
    _put_run(out, data, run, end)
    return bytes(out) if len(out) <= limit else None


def _common(data: bytes, a: int, b: int, most: int) -> int:
    """How many bytes from *a* on equal those from *b* on: at least 3, at most *most*."""
    low = 3
    if data[a : a + 12] != data[b : b + 12] or most < 12:  # most are short
        high = min(most, 12)
        while low < high and data[a + low] == data[b + low]:
            low += 1
        return low
    if data[a : a + most] == data[b : b + most]:
        return most
    low, high = 12, most
    while high - low > 1:
        middle = (low + high) // 2
        if data[a : a + middle] == data[b : b + middle]:
            low = middle
        else:
            high = middle
    return low


def _put_run(out: bytearray, data: bytes, start: int, end: int) -> None:
    """Literal runs for the bytes from *start* to *end*."""
    while end - start > _LONGEST_RUN:
        out.append(_LONGEST_RUN - 1)
        out += data[start : start + _LONGEST_RUN]
        start += _LONGEST_RUN
    if start < end:
        out.append(end - start - 1)
        out += data[start:end]


def decompress_in_python(data: bytes, expected_len: int) -> bytes:
    """As decompress, without any library."""
    out = bytearray()
    i, end = 0, len(data)
    try:
        while i < end:
            control = data[i]
            i += 1
            if control < 32:
                stop = i + control + 1
                if stop > end:
                    raise ValueError("corrupt LZF data")
                out += data[i:stop]
                i = stop
            else:
                size = (control >> 5) + 2
                if size == 9:
                    size += data[i]
                    i += 1
                start = len(out) - ((control & 0x1F) << 8) - data[i] - 1
                i += 1
                if start < 0:
                    raise ValueError("corrupt LZF data")
                piece = out[start : start + size]
                while len(piece) < size:  # the copy overlaps itself: a repeating pattern
                    piece *= 2
                out += piece[:size]
            if len(out) > expected_len:
                raise ValueError("corrupt LZF data")
    except IndexError:
        raise ValueError("corrupt LZF data") from None
    if len(out) != expected_len:
        raise ValueError("corrupt LZF data")
    return bytes(out)
