"""Every error a client can be told, as classes whose texts are Redis's to the byte.

A handler raises; the dispatcher alone catches, and encodes ``-CODE message``.
"""

from __future__ import annotations


class CommandError(Exception):
    """An error reply.  ``code`` and ``message`` make up the line after the dash."""

    code = "ERR"
    message = "error"

    def __init__(self, message: str | bytes | None = None) -> None:
        super().__init__(message)
        if message is not None:
            self.message = message if isinstance(message, str) else message.decode("utf-8", "surrogateescape")

    @property
    def text(self) -> str:
        """Code and message as one line, without the leading dash."""
        return f"{self.code} {self.message}" if self.code else self.message


def _printed(text: bytes, most: int = 128) -> bytes:
    """*text* as C prints it with %s: up to a NUL, and *most* bytes."""
    return text[:most].partition(b"\0")[0]


# --- protocol -------------------------------------------------------------------------------------


class ProtocolError(CommandError):
    """A malformed request: answered once, then the connection closes."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Protocol error: {reason}")


# --- values and arguments -------------------------------------------------------------------------


class WrongType(CommandError):
    code, message = "WRONGTYPE", "Operation against a key holding the wrong kind of value"


class InvalidSyntax(CommandError):
    message = "syntax error"


class NotInteger(CommandError):
    message = "value is not an integer or out of range"


class NotFloat(CommandError):
    message = "value is not a valid float"


class NotFinite(CommandError):
    message = "increment would produce NaN or Infinity"


class NotPositive(CommandError):
    message = "value is out of range, must be positive"


class OutOfRange(CommandError):
    message = "value is out of range"


class Overflow(CommandError):
    message = "increment or decrement would overflow"


class NoSuchKey(CommandError):
    message = "no such key"


class IndexOutOfRange(CommandError):
    message = "index out of range"


class InvalidDbIndex(CommandError):
    message = "DB index is out of range"


class StringTooLong(CommandError):
    message = "string exceeds maximum allowed size (proto-max-bulk-len)"


class WrongArity(CommandError):
    """``wrong number of arguments for 'set' command``; *name* as in ``config|get``."""

    def __init__(self, name: str) -> None:
        super().__init__(f"wrong number of arguments for '{name}' command")


# --- configuration --------------------------------------------------------------------------------


class ConfigRefused(CommandError):
    """Why a directive or its value is not taken; the message is the bare reason.

    Raised while a value is parsed or by a hook that could not apply it; CONFIG SET wraps it in
    ConfigSetFailed, the configuration file's loader in its report on stderr.
    """


class ConfigSetFailed(CommandError):
    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"CONFIG SET failed (possibly related to argument '{name}') - {reason}")


class UnknownConfigOption(CommandError):
    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown option or number of arguments for CONFIG SET - '{name}'")


class NoConfigFile(CommandError):
    message = "The server is running without a config file"


class ConfigRewriteFailed(CommandError):
    """*reason* is the operating system's, as strerror words it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Rewriting config file: {reason}")


class ConfigForceRewriteFailed(CommandError):
    """The same for DEBUG CONFIG-REWRITE-FORCE-ALL."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"CONFIG-REWRITE-FORCE-ALL failed: {reason}")


class UnknownCommand(CommandError):
    """``unknown command 'x', with args beginning with: 'a' 'b' `` (server.c processCommand)."""

    def __init__(self, argv: list[bytes]) -> None:
        arguments = b""
        for argument in argv[1:]:
            if len(arguments) >= 128:
                break
            arguments += b"'%b' " % _printed(argument, 128 - len(arguments))
        super().__init__(b"unknown command '%b', with args beginning with: %b" % (_printed(argv[0]), arguments))


class WrongSubcommandArguments(CommandError):
    """``unknown subcommand or wrong number of arguments for 'x'. Try XINFO HELP.``"""

    def __init__(self, container: str, sub: bytes) -> None:
        text = b"unknown subcommand or wrong number of arguments for '%b'. Try %b HELP."
        super().__init__(text % (sub[:128], container.encode()))


class UnknownSubcommand(CommandError):
    """``unknown subcommand 'x'. Try CONFIG HELP.``"""

    def __init__(self, container: str, sub: bytes) -> None:
        super().__init__(b"unknown subcommand '%b'. Try %b HELP." % (_printed(sub), container.upper().encode()))


# --- refusals (server.c processCommand) -----------------------------------------------------------


class NoAuth(CommandError):
    code, message = "NOAUTH", "Authentication required."


class NoPermission(CommandError):
    code = "NOPERM"


class OutOfMemory(CommandError):
    code, message = "OOM", "command not allowed when used memory > 'maxmemory'."


class Loading(CommandError):
    code, message = "LOADING", "Redis is loading the dataset in memory"


class ReadOnlyReplica(CommandError):
    code, message = "READONLY", "You can't write against a read only replica."


class MasterDown(CommandError):
    code, message = "MASTERDOWN", "Link with MASTER is down and replica-serve-stale-data is set to 'no'."


class NoReplicas(CommandError):
    code, message = "NOREPLICAS", "Not enough good replicas to write."


class DiskError(CommandError):
    """MISCONF: the RDB or the AOF cannot be written and writes must stop."""

    code = "MISCONF"


class BusyScript(CommandError):
    code, message = "BUSY", "Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."


class SubscribedMode(CommandError):
    """A RESP2 client in subscribed mode may only do a few things."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET"
            " are allowed in this context"
        )


class NotInMulti(CommandError):
    message = "Command not allowed inside a transaction"


# --- blocking -------------------------------------------------------------------------------------


class TimeoutNotFloat(CommandError):
    message = "timeout is not a float or out of range"


class TimeoutNotInteger(CommandError):
    message = "timeout is not an integer or out of range"


class TimeoutOutOfRange(CommandError):
    message = "timeout is out of range"


class NegativeTimeout(CommandError):
    message = "timeout is negative"


class Unblocked(CommandError):
    code, message = "UNBLOCKED", "client unblocked via CLIENT UNBLOCK"


# --- transactions ---------------------------------------------------------------------------------


class NestedMulti(CommandError):
    message = "MULTI calls can not be nested"


class DiscardWithoutMulti(CommandError):
    message = "DISCARD without MULTI"


class ExecWithoutMulti(CommandError):
    message = "EXEC without MULTI"


class WatchInsideMulti(CommandError):
    message = "WATCH inside MULTI is not allowed"


class ExecAborted(CommandError):
    code, message = "EXECABORT", "Transaction discarded because of previous errors."


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
        super().__init__(b"Unknown PFDEBUG subcommand '%b'" % _printed(name, len(name)))


class SelfTestFailed(CommandError):
    def __init__(self, what: str) -> None:
        super().__init__(f"TESTFAILED {what}")


# --- rights ---------------------------------------------------------------------------------------


class ProtectedCommand(CommandError):
    """DEBUG or MODULE without enable-debug-command or enable-module-command."""

    def __init__(self, name: str) -> None:
        name = name.partition("|")[0]
        super().__init__(
            f'{name.upper()} command not allowed. If the enable-{name}-command option is set to "local", '
            "you can run it from a local connection, otherwise you need to set this option in the "
            "configuration file, and then restart the server."
        )


class ReplicaKeyspaceAccess(CommandError):
    message = "Replica can't interact with the keyspace"


# --- pub/sub --------------------------------------------------------------------------------------


class SubscribeDenied(CommandError):
    """A client that expects one reply per command cannot subscribe."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} isn't allowed for a DENY BLOCKING client")


# --- connection -----------------------------------------------------------------------------------


class UnsupportedProtocol(CommandError):
    code, message = "NOPROTO", "unsupported protocol version"


class HelloBeforeAuth(CommandError):
    code = "NOAUTH"
    message = (
        "HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> "
        "option can be used to authenticate the client and select the RESP protocol version at the same time"
    )


class WrongPassword(CommandError):
    code, message = "WRONGPASS", "invalid username-password pair or user is disabled."


class AuthWithoutPassword(CommandError):
    message = (
        "AUTH <password> called without any password configured for the default user. "
        "Are you sure your configuration is correct?"
    )


class CannotReset(CommandError):
    message = "can only reset normal client connections"


class InvalidClientName(CommandError):
    message = "Client names cannot contain spaces, newlines or special characters."


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
        super().__init__(b"Unsupported option %b" % _printed(option, len(option)))


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


# --- CLIENT ---------------------------------------------------------------------------------------


class OverlappingPrefix(CommandError):
    """A BCAST prefix would report keys that another one reports, too."""

    def __init__(self, prefix: bytes, other: bytes, which: str) -> None:
        super().__init__(
            b"Prefix '%b' overlaps with %b '%b'. Prefixes for a single client must not overlap."
            % (prefix, which.encode(), other)
        )


class InvalidClientId(CommandError):
    message = "Invalid client ID"


class NoSuchClient(CommandError):
    message = "No such client"


class UnknownClientType(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Unknown client type '%b'" % name)


class NoSuchUser(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"No such user '%b'" % name)


# --- streams --------------------------------------------------------------------------------------


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
        names = _printed(key, len(key)), _printed(group, len(group))
        super().__init__(b"No such key '%b' or consumer group '%b' in XREADGROUP with GROUP option" % names)


class NoKeyOrGroup(CommandError):
    code = "NOGROUP"

    def __init__(self, key: bytes, group: bytes) -> None:
        names = _printed(key, len(key)), _printed(group, len(group))
        super().__init__(b"No such key '%b' or consumer group '%b'" % names)


class NoSuchGroup(CommandError):
    code = "NOGROUP"

    def __init__(self, key: bytes, group: bytes) -> None:
        names = _printed(group, len(group)), _printed(key, len(key))
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
        super().__init__(b"Unrecognized XCLAIM option '%b'" % _printed(option, len(option)))


class ClaimCountNotPositive(CommandError):
    message = "COUNT must be > 0"


class ClaimCountTooHigh(CommandError):
    message = "Insufficient memory, failed allocating transient memory, COUNT too high."


# --- shutdown -------------------------------------------------------------------------------------


class ShutdownFailed(CommandError):
    message = "Errors trying to SHUTDOWN. Check logs."


class NoShutdown(CommandError):
    message = "No shutdown in progress."


class ShutdownDenied(CommandError):
    message = "SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client"


# --- persistence ----------------------------------------------------------------------------------


class SaveInProgress(CommandError):
    message = "Background save already in progress"


class RewriteInProgress(CommandError):
    message = "Background append only file rewriting already in progress"


class OtherChildActive(CommandError):
    message = (
        "Another child process is active (AOF?): can't BGSAVE right now. "
        "Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."
    )


class RewriteRefused(CommandError):
    message = "Can't execute an AOF background rewriting. Please check the server logs for more information."


class Failed(CommandError):
    """shared.err: something failed, and the log says what."""

    code, message = "ERR", ""


class ReloadOptions(CommandError):
    message = "DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."


class ReloadFailed(CommandError):
    message = "Error trying to load the RDB dump, check server logs."


class LoadAofFailed(CommandError):
    message = "Error trying to load the AOF files, check server logs."


# --- cluster --------------------------------------------------------------------------------------


class ClusterDisabled(CommandError):
    message = "This instance has cluster support disabled"


# --- DEBUG ----------------------------------------------------------------------------------------


class DebugSyntax(CommandError):
    """networking.c addReplySubcommandSyntaxError."""

    def __init__(self, sub: bytes) -> None:
        super().__init__(b"unknown subcommand or wrong number of arguments for '%b'. Try DEBUG HELP." % sub[:128])


# --- geo ------------------------------------------------------------------------------------------


class InvalidPosition(CommandError):
    def __init__(self, longitude: float, latitude: float) -> None:
        super().__init__(f"invalid longitude,latitude pair {longitude:f},{latitude:f}")


class UnknownUnit(CommandError):
    message = "unsupported unit provided. please use M, KM, FT, MI"


class RadiusNotNumeric(CommandError):
    message = "need numeric radius"


class NegativeRadius(CommandError):
    message = "radius cannot be negative"


class WidthNotNumeric(CommandError):
    message = "need numeric width"


class HeightNotNumeric(CommandError):
    message = "need numeric height"


class NegativeBox(CommandError):
    message = "height or width cannot be negative"


class UndecodableMember(CommandError):
    message = "could not decode requested zset member"


class GeoCountNotPositive(CommandError):
    message = "COUNT must be > 0"


class StoreWithDetails(CommandError):
    """*what*: ``GEOSEARCHSTORE`` or ``STORE option in GEORADIUS``."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options")


class GeoCentreMissing(CommandError):
    """*name* as the caller wrote it."""

    def __init__(self, name: bytes) -> None:
        super().__init__(b"exactly one of FROMMEMBER or FROMLONLAT can be specified for %b" % name)


class GeoShapeMissing(CommandError):
    """*name* as the caller wrote it."""

    def __init__(self, name: bytes) -> None:
        super().__init__(b"exactly one of BYRADIUS and BYBOX can be specified for %b" % name)


class AnyWithoutCount(CommandError):
    message = "the ANY argument requires COUNT argument"


# --- ACL ------------------------------------------------------------------------------------------


class RightsChanged(NoPermission):
    """A queued command is no longer allowed (multi.c execCommand)."""

    def __init__(self, denied: NoPermission) -> None:
        reason = "no permission to execute the command or subcommand"
        if "access a key" in denied.message:
            reason = "no permission to touch the specified keys"
        elif "access a channel" in denied.message:
            reason = "no permission to access one of the channels used as arguments"
        super().__init__(
            "ACLs rules changed between the moment the transaction was accumulated and the EXEC call. "
            f"This command is no longer allowed for the following reason: {reason}"
        )


class AclRuleError(CommandError):
    """A rule that cannot be applied (acl.c ACLSetUserStringError)."""

    about_command = False
    """The rule names a command: such rules may be reported without giving a password away."""


class AclSyntax(AclRuleError):
    message = "Syntax error"


class AclUnknownCommand(AclRuleError):
    message = "Unknown command or category name in ACL"
    about_command = True


class AclKeyAfterAll(AclRuleError):
    message = (
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. "
        "Try 'resetkeys' to start with an empty list of patterns"
    )


class AclChannelAfterAll(AclRuleError):
    message = (
        "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. "
        "Try 'resetchannels' to start with an empty list of channels"
    )


class AclNoSuchPassword(AclRuleError):
    message = "The password you are trying to remove from the user does not exist"


class AclInvalidHash(AclRuleError):
    message = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"


class AclFirstArgOfSubcommand(AclRuleError):
    message = "Allowing first-arg of a subcommand is not supported"


class AclUnmatchedParenthesis(AclRuleError):
    def __init__(self, word: bytes) -> None:
        super().__init__(b"Unmatched parenthesis in acl selector starting at '%b'." % word)


class AclSetUserFailed(CommandError):
    def __init__(self, rule: bytes, error: AclRuleError) -> None:
        super().__init__(b"Error in ACL SETUSER modifier '%b': %b" % (rule, error.message.encode()))


class AclInvalidUserName(CommandError):
    message = "Usernames can't contain spaces or null characters"


class AclDefaultUser(CommandError):
    message = "The 'default' user cannot be removed"


class AclNoFile(CommandError):
    message = (
        "This Redis instance is not configured to use an ACL file. You may want to specify users via the "
        "ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) "
        "in order to store users in the Redis configuration."
    )


class AclFileErrors(CommandError):
    """What is wrong with an ACL file, all in one line."""


class AclSaveFailed(CommandError):
    message = "There was an error trying to save the ACLs. Please check the server logs for more information"


class AclUnknownCategory(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Unknown category '%b'" % name[:128])


class AclUserNotFound(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"User '%b' not found" % name)


class AclCommandNotFound(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Command '%b' not found" % name)


class AclGenpassRange(CommandError):
    message = "ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"


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


# --- SLOWLOG, LATENCY, MODULE ---------------------------------------------------------------------


class NegativeSlowlogCount(CommandError):
    message = "count should be greater than or equal to -1"


class NoLatencySamples(CommandError):
    def __init__(self, event: bytes) -> None:
        super().__init__(b"No samples available for event '%b'" % _printed(event))


class ModuleNotLoaded(CommandError):
    message = "Error loading the extension. Please check the server logs."


class ModuleUnknown(CommandError):
    message = "Error unloading module: no such module with that name"


# --- replication ----------------------------------------------------------------------------------


class NoMasterLink(CommandError):
    code = "NOMASTERLINK"


class SyncWithPendingOutput(CommandError):
    message = "SYNC and PSYNC are invalid with pending output"


class FilteredReplicaNeedsEof(CommandError):
    message = "Filtered replica requires EOF capability"


class BgsaveForSyncFailed(CommandError):
    message = "BGSAVE failed, replication can't continue"


class ReplicaCannotWait(CommandError):
    message = (
        "WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is "
        "configured to be writable (which is not the default) writes to replicas are just local and are not "
        "propagated."
    )


class ReplicaCannotWaitAof(CommandError):
    message = (
        "WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local "
        "and are not propagated."
    )


class WaitAofWithoutAof(CommandError):
    message = "WAITAOF cannot be used when numlocal is set but appendonly is disabled."


# --- scripts and functions ------------------------------------------------------------------------


class ScriptFailed(CommandError):
    """A script ended with the error reply *line* (``CODE text``), or cannot be run at all."""

    def __init__(self, line: bytes) -> None:
        code, space, message = line.partition(b" ")
        super().__init__(message if space else line)
        self.code = code.decode("utf-8", "surrogateescape") if space and len(code) < 32 else "ERR"
        self._line = line.decode("utf-8", "surrogateescape")

    @property
    def text(self) -> str:
        return self._line


class NoScript(CommandError):
    code, message = "NOSCRIPT", "No matching script. Please use EVAL."


class ScriptNotCompiled(CommandError):
    def __init__(self, problem: bytes) -> None:
        super().__init__(b"Error compiling script (new function): " + problem)


class TooManyKeysGiven(CommandError):
    message = "Number of keys can't be greater than number of args"


class NegativeKeysGiven(CommandError):
    message = "Number of keys can't be negative"


class BadNumberOfKeys(CommandError):
    message = "Bad number of keys provided"


class InvalidScriptShebang(CommandError):
    message = "Invalid script shebang"


class InvalidScriptEngine(CommandError):
    message = "Invalid engine in script shebang"


class UnexpectedScriptEngine(CommandError):
    def __init__(self, engine: bytes) -> None:
        super().__init__(b"Unexpected engine in script shebang: " + engine)


class UnexpectedScriptFlag(CommandError):
    def __init__(self, flag: bytes) -> None:
        super().__init__(b"Unexpected flag in script shebang: " + flag)


class UnknownScriptOption(CommandError):
    def __init__(self, option: bytes) -> None:
        super().__init__(b"Unknown lua shebang option: " + option)


class ScriptNotInCluster(CommandError):
    message = "Can not run script on cluster, 'no-cluster' flag is set."


class ScriptNotStale(CommandError):
    code = "MASTERDOWN"
    message = (
        "Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set on "
        "the script."
    )


class ScriptOnReadOnlyReplica(CommandError):
    code, message = "READONLY", "Can not run script with write flag on readonly replica"


class ScriptCannotPersist(CommandError):
    code = "MISCONF"
    message = (
        "Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Writable scripts "
        "are blocked. Use 'no-writes' flag for read only scripts."
    )


class ScriptNotReadOnly(CommandError):
    message = "Can not execute a script with write flag using *_ro command."


class ScriptOutOfMemory(CommandError):
    code = "OOM"
    message = "allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"


class ScriptRecursion(CommandError):
    message = "A script is already running"


class NoRunningScript(CommandError):
    code, message = "NOTBUSY", "No scripts in execution right now."


class ScriptFromMaster(CommandError):
    code = "UNKILLABLE"
    message = "The busy script was sent by a master instance in the context of replication and cannot be killed."


class ScriptHasWritten(CommandError):
    code = "UNKILLABLE"
    message = (
        "Sorry the script already executed write commands against the dataset. You can either wait the script "
        "termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
    )


class BusyFunction(BusyScript):
    message = "Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."


class ScriptFlushOption(CommandError):
    message = "SCRIPT FLUSH only support SYNC|ASYNC option"


class ScriptDebugOption(CommandError):
    message = "Use SCRIPT DEBUG YES/SYNC/NO"


class FunctionFlushOption(CommandError):
    message = "FUNCTION FLUSH only supports SYNC|ASYNC option"


class FunctionNotFound(CommandError):
    message = "Function not found"


class LibraryNotFound(CommandError):
    message = "Library not found"


class LibraryMetadataMissing(CommandError):
    message = "Missing library metadata"


class InvalidLibraryMetadata(CommandError):
    message = "Invalid library metadata"


class UnknownLibraryMetadata(CommandError):
    def __init__(self, word: bytes) -> None:
        super().__init__(b"Invalid metadata value given: " + word)


class LibraryNameRepeated(CommandError):
    message = "Invalid metadata value, name argument was given multiple times"


class LibraryNameMissing(CommandError):
    message = "Library name was not given"


class InvalidLibraryName(CommandError):
    message = (
        "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"
    )


class FunctionEngineMissing(CommandError):
    def __init__(self, engine: bytes) -> None:
        super().__init__(b"Engine '%b' not found" % engine)


class LibraryExists(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Library '%b' already exists" % name)


class LibraryExistsAlready(CommandError):
    """The same in FUNCTION RESTORE, without quotes."""

    def __init__(self, name: bytes) -> None:
        super().__init__(b"Library %b already exists" % name)


class FunctionExists(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Function %b already exists" % name)


class NoFunctionsRegistered(CommandError):
    message = "No functions registered"


class LibraryRejected(CommandError):
    """*problem*: what its compilation or its load run said."""


class FunctionCodeMissing(CommandError):
    message = "Function code is missing"


class UnknownFunctionOption(CommandError):
    def __init__(self, word: bytes) -> None:
        super().__init__(b"Unknown option given: " + word)


class UnknownFunctionArgument(CommandError):
    def __init__(self, word: bytes) -> None:
        super().__init__(b"Unknown argument " + word)


class LibraryPatternMissing(CommandError):
    message = "library name argument was not given"


class WrongRestorePolicy(CommandError):
    message = "Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."


class NotAFunction(CommandError):
    message = "given type is not a function"


class EarlyFunctionFormat(CommandError):
    message = "Pre-GA function format not supported"


class BadLibraryPayload(CommandError):
    message = "Failed loading library payload"


class UnknownCommandInScript(CommandError):
    message = "Unknown Redis command called from script"


class WrongArityInScript(CommandError):
    message = "Wrong number of args calling Redis command from script"


class NotAllowedInScript(CommandError):
    message = "This Redis command is not allowed from script"


class StaleInScript(CommandError):
    message = "Can not execute the command on a stale replica"


class NoPermissionInScript(CommandError):
    def __init__(self, reason: CommandError) -> None:
        super().__init__(f"ACL failure in script: {reason.message}")


class WriteInReadOnlyScript(CommandError):
    message = "Write commands are not allowed from read-only scripts."
