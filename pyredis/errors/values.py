"""Error replies about keys and values of all types but streams and geo, DUMP and MIGRATE."""

from __future__ import annotations

from .base import CommandError, printed

# --- strings and bitmaps --------------------------------------------------------------------------


class InvalidExpireTime(CommandError):
    """``invalid expire time in 'set' command``; *name* as in ``config|get``."""

    def __init__(self, name: str) -> None:
        super().__init__(f"invalid expire time in '{name}' command")


class DecrementOverflow(CommandError):
    message = "decrement would overflow"


class OffsetOutOfRange(CommandError):
    message = "offset is out of range"


class LcsOfNonStrings(CommandError):
    message = "The specified keys must contain string values"


class LcsLengthAndIndexes(CommandError):
    message = "If you want both the length and indexes, please just use IDX."


class LcsTooBig(CommandError):
    message = "Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"


class InvalidBitOffset(CommandError):
    message = "bit offset is not an integer or out of range"


class InvalidBit(CommandError):
    message = "bit is not an integer or out of range"


class InvalidBitArgument(CommandError):
    message = "The bit argument must be 1 or 0."


class BitopNotOfMany(CommandError):
    message = "BITOP NOT must be called with a single source key."


class InvalidBitfieldType(CommandError):
    message = "Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."


class InvalidBitfieldOverflow(CommandError):
    message = "Invalid OVERFLOW type specified"


class BitfieldReadOnly(CommandError):
    message = "BITFIELD_RO only supports the GET subcommand"


# --- HyperLogLog ----------------------------------------------------------------------------------


class NotHyperLogLog(CommandError):
    code, message = "WRONGTYPE", "Key is not a valid HyperLogLog string value."


class CorruptedHyperLogLog(CommandError):
    code, message = "INVALIDOBJ", "Corrupted HLL object detected"


class ExecAbortedBecause(CommandError):
    """EXEC itself was refused (multi.c execCommandAbort)."""

    code = "EXECABORT"

    def __init__(self, reason: CommandError) -> None:
        text = reason.message if reason.code == "ERR" else reason.text  # as rejectCommandFormat words it
        super().__init__(f"Transaction discarded because of: {text}")


class NoSuchHyperLogLog(CommandError):
    message = "The specified key does not exist"


class NotSparse(CommandError):
    message = "HLL encoding is not sparse"


class UnknownPfdebug(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Unknown PFDEBUG subcommand '%b'" % printed(name, len(name)))


class SelfTestFailed(CommandError):
    def __init__(self, what: str) -> None:
        super().__init__(f"TESTFAILED {what}")


# --- hashes, sets and lists -----------------------------------------------------------------------


class HashValueNotInteger(CommandError):
    message = "hash value is not an integer"


class HashValueNotFloat(CommandError):
    message = "hash value is not a float"


class IncrementNotFinite(CommandError):
    message = "value is NaN or Infinity"


class NumkeysNotPositive(CommandError):
    message = "numkeys should be greater than 0"


class CountNotPositive(CommandError):
    message = "count should be greater than 0"


class TooManyKeys(CommandError):
    message = "Number of keys can't be greater than number of args"


class NegativeLimit(CommandError):
    message = "LIMIT can't be negative"


class NegativeCount(CommandError):
    message = "COUNT can't be negative"


class NegativeMaxlen(CommandError):
    message = "MAXLEN can't be negative"


class ZeroRank(CommandError):
    message = (
        "RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
        "or use negative to start from the end of the list"
    )


# --- sorted sets ----------------------------------------------------------------------------------


class NxAndXx(CommandError):
    message = "XX and NX options at the same time are not compatible"


class GtLtOrNx(CommandError):
    message = "GT, LT, and/or NX options at the same time are not compatible"


class IncrOfMany(CommandError):
    message = "INCR option supports a single increment-element pair"


class ScoreNotNumber(CommandError):
    message = "resulting score is not a number (NaN)"


class BoundNotFloat(CommandError):
    message = "min or max is not a float"


class InvalidLexBound(CommandError):
    message = "min or max not valid string range item"


class LimitWithoutBy(CommandError):
    message = "syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"


class ScoresByLex(CommandError):
    message = "syntax error, WITHSCORES not supported in combination with BYLEX"


class WeightNotFloat(CommandError):
    message = "weight value is not a float"


class NoInputKeys(CommandError):
    def __init__(self, name: str) -> None:
        super().__init__(f"at least 1 input key is needed for '{name}' command")


# --- keys -----------------------------------------------------------------------------------------


class NotInRange(CommandError):
    """An integer that does not fit where it goes."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(f"value is out of range, value must between {least} and {most}")


class SameKey(CommandError):
    message = "source and destination objects are the same"


class InvalidFirstDb(CommandError):
    message = "invalid first DB index"


class InvalidSecondDb(CommandError):
    message = "invalid second DB index"


class InvalidCursor(CommandError):
    message = "invalid cursor"


class UnsupportedExpireOption(CommandError):
    def __init__(self, option: bytes) -> None:
        super().__init__(b"Unsupported option %b" % printed(option, len(option)))


class IncompatibleExpireOptions(CommandError):
    message = "NX and XX, GT or LT options at the same time are not compatible"


class IncompatibleGtAndLt(CommandError):
    message = "GT and LT options at the same time are not compatible"


class IdleTimeUntracked(CommandError):
    message = (
        "An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between"
        " policies at runtime LRU and LFU data will take some time to adjust."
    )


class FrequencyUntracked(CommandError):
    message = (
        "An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching"
        " between policies at runtime LRU and LFU data will take some time to adjust."
    )


class UnsortableScore(CommandError):
    message = "One or more scores can't be converted into double"


class SortPatternDenied(CommandError):
    """SORT's BY or GET by a user who may not read every key."""

    def __init__(self, option: str) -> None:
        super().__init__(f"{option} option of SORT denied due to insufficient ACL permissions.")


# --- DUMP, RESTORE and MIGRATE --------------------------------------------------------------------


class BusyKey(CommandError):
    code, message = "BUSYKEY", "Target key name already exists."


class InvalidTtl(CommandError):
    message = "Invalid TTL value, must be >= 0"


class InvalidIdleTime(CommandError):
    message = "Invalid IDLETIME value, must be >= 0"


class InvalidFrequency(CommandError):
    message = "Invalid FREQ value, must be >= 0 and <= 255"


class WrongDumpPayload(CommandError):
    message = "DUMP payload version or checksum are wrong"


class BadDataFormat(CommandError):
    message = "Bad data format"


class MigrateKeyNotEmpty(CommandError):
    message = "When using MIGRATE KEYS option, the key argument must be set to the empty string"


class MigrateFailed(CommandError):
    """The connection to the target failed while *what*."""

    code = "IOERR"

    def __init__(self, what: str) -> None:
        super().__init__(f"error or timeout {what}")


class MigrateRefused(CommandError):
    """The target answered with an error."""

    def __init__(self, error: bytes) -> None:
        super().__init__(b"Target instance replied with error: %b" % error)
