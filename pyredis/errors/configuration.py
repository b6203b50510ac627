"""Error replies of CONFIG."""

from __future__ import annotations

from .base import CommandError, printed


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
            arguments += b"'%b' " % printed(argument, 128 - len(arguments))
        super().__init__(b"unknown command '%b', with args beginning with: %b" % (printed(argv[0]), arguments))


class WrongSubcommandArguments(CommandError):
    """``unknown subcommand or wrong number of arguments for 'x'. Try XINFO HELP.`` (addReplySubcommandSyntaxError)."""

    def __init__(self, container: str, sub: bytes) -> None:
        text = b"unknown subcommand or wrong number of arguments for '%b'. Try %b HELP."
        super().__init__(text % (sub[:128], container.encode()))


class UnknownSubcommand(CommandError):
    """``unknown subcommand 'x'. Try CONFIG HELP.``"""

    def __init__(self, container: str, sub: bytes) -> None:
        super().__init__(b"unknown subcommand '%b'. Try %b HELP." % (printed(sub), container.upper().encode()))
