"""Error replies of ACL."""

from __future__ import annotations

from .base import CommandError
from .refusals import NoPermission


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
