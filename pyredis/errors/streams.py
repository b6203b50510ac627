"""Error replies of streams."""

from __future__ import annotations

from .base import CommandError, printed


class InvalidStreamId(CommandError):
    message = "Invalid stream ID specified as stream command argument"


class InvalidStartId(CommandError):
    message = "invalid start ID for the interval"


class InvalidEndId(CommandError):
    message = "invalid end ID for the interval"


class TrimStrategiesCombined(CommandError):
    message = "syntax error, MAXLEN and MINID options at the same time are not compatible"


class NegativeTrimLength(CommandError):
    message = "The MAXLEN argument must be >= 0."


class NegativeTrimLimit(CommandError):
    message = "The LIMIT argument must be >= 0."


class TrimLimitWithoutStrategy(CommandError):
    message = "syntax error, LIMIT cannot be used without specifying a trimming strategy"


class TrimLimitWhenExact(CommandError):
    message = "syntax error, LIMIT cannot be used without the special ~ option"


class TrimStrategyMissing(CommandError):
    message = "syntax error, XTRIM must be called with a trimming strategy"


class ZeroStreamId(CommandError):
    message = "The ID specified in XADD must be greater than 0-0"


class StreamIdNotGreater(CommandError):
    message = "The ID specified in XADD is equal or smaller than the target stream top item"


class StreamExhausted(CommandError):
    message = "The stream has exhausted the last possible ID, unable to add more items"


class StreamEntryTooLarge(CommandError):
    message = "Elements are too large to be stored"


class NegativeEntriesAdded(CommandError):
    message = "entries_added must be positive"


class StreamIdBelowGivenDeletedId(CommandError):
    message = "The ID specified in XSETID is smaller than the provided max_deleted_entry_id"


class StreamIdBelowDeletedId(CommandError):
    message = "The ID specified in XSETID is smaller than current max_deleted_entry_id"


class StreamIdBelowTop(CommandError):
    message = "The ID specified in XSETID is smaller than the target stream top item"


class EntriesAddedBelowLength(CommandError):
    message = "The entries_added specified in XSETID is smaller than the target stream length"


class BlockInScript(CommandError):
    """*name* as the caller wrote it."""

    def __init__(self, name: bytes) -> None:
        super().__init__(b"%b command is not allowed with BLOCK option from scripts" % name)


class UnbalancedStreams(CommandError):
    def __init__(self, name: str, symbol: str) -> None:
        super().__init__(
            f"Unbalanced '{name}' list of streams: for each stream key an ID or '{symbol}' must be specified."
        )


class GroupOptionOfXread(CommandError):
    """GROUP or NOACK given to XREAD."""

    def __init__(self, option: str) -> None:
        super().__init__(f"The {option} option is only supported by XREADGROUP. You called XREAD instead.")


class GroupOptionMissing(CommandError):
    message = "Missing GROUP option for XREADGROUP"


class LastIdForGroup(CommandError):
    message = (
        "The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by "
        "specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
    )


class NewIdWithoutGroup(CommandError):
    message = "The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."


class NoGroupToRead(CommandError):
    code = "NOGROUP"

    def __init__(self, key: bytes, group: bytes) -> None:
        names = printed(key, len(key)), printed(group, len(group))
        super().__init__(b"No such key '%b' or consumer group '%b' in XREADGROUP with GROUP option" % names)


class NoKeyOrGroup(CommandError):
    code = "NOGROUP"

    def __init__(self, key: bytes, group: bytes) -> None:
        names = printed(key, len(key)), printed(group, len(group))
        super().__init__(b"No such key '%b' or consumer group '%b'" % names)


class NoSuchGroup(CommandError):
    code = "NOGROUP"

    def __init__(self, key: bytes, group: bytes) -> None:
        names = printed(group, len(group)), printed(key, len(key))
        super().__init__(b"No such consumer group '%b' for key name '%b'" % names)


class GroupExists(CommandError):
    code, message = "BUSYGROUP", "Consumer Group name already exists"


class GroupNeedsKey(CommandError):
    message = (
        "The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM "
        "option to create an empty stream automatically."
    )


class InvalidEntriesRead(CommandError):
    message = "value for ENTRIESREAD must be positive or -1"


class InvalidClaimArgument(CommandError):
    """*what*: ``min-idle-time argument``, ``IDLE option argument`` ...; *name*: XCLAIM or XAUTOCLAIM."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"Invalid {what} for {name}")


class UnknownClaimOption(CommandError):
    def __init__(self, option: bytes) -> None:
        super().__init__(b"Unrecognized XCLAIM option '%b'" % printed(option, len(option)))


class ClaimCountNotPositive(CommandError):
    message = "COUNT must be > 0"


class ClaimCountTooHigh(CommandError):
    message = "Insufficient memory, failed allocating transient memory, COUNT too high."
