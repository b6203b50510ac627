"""``server.tls``: the contexts of TLS connections, made from the tls-* directives (tls.c)."""

from __future__ import annotations

import ssl
import warnings
from typing import TYPE_CHECKING, Final

from ..errors import ConfigRefused

if TYPE_CHECKING:
    from ..config.config import Config
    from .log import Log

CHECK_LOGS: Final = "Unable to update TLS configuration. Check server logs."
NO_CIPHERSUITES: Final = "Python's ssl module cannot choose cipher suites of TLS 1.3: leave tls-ciphersuites empty"
NO_SESSION_CACHE: Final = (
    "Python's ssl module cannot size the cache of TLS sessions: leave tls-session-cache-size and "
    "tls-session-cache-timeout at their defaults, or set tls-session-caching no"
)
SESSION_CACHE_DEFAULTS: Final = (20480, 300)

VERSIONS: Final = {
    "tlsv1": ssl.TLSVersion.TLSv1,
    "tlsv1.1": ssl.TLSVersion.TLSv1_1,
    "tlsv1.2": ssl.TLSVersion.TLSv1_2,
    "tlsv1.3": ssl.TLSVersion.TLSv1_3,
}
EXCLUDING: Final = {ssl.TLSVersion.TLSv1_1: ssl.OP_NO_TLSv1_1, ssl.TLSVersion.TLSv1_2: ssl.OP_NO_TLSv1_2}
MODES: Final = {"no": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "yes": ssl.CERT_REQUIRED}

DIRECTIVES: Final = (
    "tls-ca-cert-dir", "tls-ca-cert-file", "tls-cert-file", "tls-ciphers", "tls-ciphersuites", "tls-client-cert-file",
    "tls-client-key-file", "tls-client-key-file-pass", "tls-cluster", "tls-dh-params-file", "tls-key-file",
    "tls-key-file-pass", "tls-prefer-server-ciphers", "tls-protocols", "tls-replication", "tls-session-cache-size",
    "tls-session-cache-timeout", "tls-session-caching",
)  # fmt: skip


class Refused(Exception):
    """The configuration makes no context; the reason has been logged."""


class Tls:
    """Both contexts of one server.  They change as a whole: connections that stand keep theirs."""

    def __init__(self, config: Config, log: Log) -> None:
        self._config = config
        self._log = log
        self._server_context: ssl.SSLContext | None = None
        self._client_context: ssl.SSLContext | None = None
        self.failed_handshakes = 0
        for name in DIRECTIVES:
            config.on_change(name, self._reconfigure)

    @property
    def wanted(self) -> bool:
        """Whether any directive asks for TLS."""
        config = self._config
        return bool(config.tls_port or config.tls_replication or config.tls_cluster)

    def _reconfigure(self) -> None:
        if self.wanted:
            self.configure()

    def ensure(self) -> None:
        """Make the contexts if there are none yet.  Raises ConfigRefused."""
        if self._server_context is None:
            self.configure()

    def configure(self) -> None:
        """Make both contexts anew; those in use stay if that fails.  Raises ConfigRefused."""
        try:
            unsupported = self._unsupported()
            if unsupported is not None:
                self._log.warning(unsupported)
                raise ConfigRefused(unsupported)
            self._check_files()
            versions = self._versions()
            server = self._context(versions, client=False)
            self._finish_server(server)
            client = self._context(versions, client=True)
        except Refused:
            raise ConfigRefused(CHECK_LOGS) from None
        self._server_context, self._client_context = server, client

    def accepting(self) -> ssl.SSLContext:
        """The context of a connection to us.  tls-auth-clients counts from the next one on."""
        context = self._server_context
        assert context is not None
        context.verify_mode = MODES[self._config.tls_auth_clients]
        return context

    def connecting(self) -> ssl.SSLContext:
        """The context of a connection from us to another server.  Raises ConfigRefused."""
        self.ensure()
        assert self._client_context is not None
        return self._client_context

    # --- making contexts -------------------------------------------------------------------------

    def _unsupported(self) -> str | None:
        config = self._config
        if config.tls_ciphersuites and not hasattr(ssl.SSLContext, "set_ciphersuites"):
            return NO_CIPHERSUITES
        cache = config.tls_session_cache_size, config.tls_session_cache_timeout
        if config.tls_session_caching and cache != SESSION_CACHE_DEFAULTS:
            return NO_SESSION_CACHE
        return None

    def _refuse(self, text: str) -> Refused:
        self._log.warning(text)
        return Refused()

    def _check_files(self) -> None:
        config = self._config
        if not config.tls_cert_file:
            raise self._refuse("No tls-cert-file configured!")
        if not config.tls_key_file:
            raise self._refuse("No tls-key-file configured!")
        verifies = config.tls_auth_clients != "no" or config.tls_cluster or config.tls_replication
        if verifies and not config.tls_ca_cert_file and not config.tls_ca_cert_dir:
            raise self._refuse(
                "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, tls-replication or "
                "tls-auth-clients are enabled!"
            )

    def _versions(self) -> list[ssl.TLSVersion]:
        if not self._config.tls_protocols:
            return [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
        versions = [VERSIONS.get(word.lower()) for word in self._config.tls_protocols.split(" ")]
        if None in versions:
            raise self._refuse(
                "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'."
            )
        return [version for version in versions if version is not None]

    def _context(self, versions: list[ssl.TLSVersion], *, client: bool) -> ssl.SSLContext:
        config = self._config
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if client else ssl.PROTOCOL_TLS_SERVER)
        context.check_hostname = False  # as in Redis: who has a certificate of our authority is trusted
        limit_versions(context, versions)
        context.options |= ssl.OP_NO_COMPRESSION | getattr(ssl, "OP_NO_RENEGOTIATION", 0)
        if client and config.tls_client_cert_file and config.tls_client_key_file:
            files = config.tls_client_cert_file, config.tls_client_key_file
            password = config.tls_client_key_file_pass
        else:
            files = config.tls_cert_file, config.tls_key_file
            password = config.tls_key_file_pass
        self._load_certificate(context, *files, password)
        if config.tls_ca_cert_file or config.tls_ca_cert_dir:
            try:
                context.load_verify_locations(self._path(config.tls_ca_cert_file), self._path(config.tls_ca_cert_dir))
            except OSError as error:
                raise self._refuse(f"Failed to configure CA certificate(s) file/directory: {reason(error)}") from None
        try:
            context.set_ciphers(config.tls_ciphers or "DEFAULT")
        except ssl.SSLError:
            raise self._refuse(f"Failed to configure ciphers: {config.tls_ciphers}") from None
        if config.tls_ciphersuites:
            self._choose_suites(context, config.tls_ciphersuites)
        return context

    def _choose_suites(self, context: ssl.SSLContext, suites: str) -> None:
        try:
            context.set_ciphersuites(suites)  # type: ignore[attr-defined, unused-ignore]
        except ssl.SSLError:
            raise self._refuse(f"Failed to configure ciphersuites: {suites}") from None

    def _path(self, name: str) -> str | None:
        return self._config.path(name) if name else None

    def _load_certificate(self, context: ssl.SSLContext, certificate: str, key: str, password: str) -> None:
        paths = self._config.path(certificate), self._config.path(key)
        try:
            # Always with a password, or OpenSSL would ask for one on the terminal.
            context.load_cert_chain(*paths, password.encode("utf-8", "surrogateescape"))
        except (OSError, ValueError) as error:
            if is_certificate(paths[0]):
                raise self._refuse(f"Failed to load private key: {key}: {reason(error)}") from None
            raise self._refuse(f"Failed to load certificate: {certificate}: {reason(error)}") from None

    def _finish_server(self, context: ssl.SSLContext) -> None:
        config = self._config
        if not config.tls_session_caching:
            context.options |= ssl.OP_NO_TICKET
            context.num_tickets = 0
        if not config.tls_prefer_server_ciphers:
            context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        if config.tls_dh_params_file:
            try:
                context.load_dh_params(self._config.path(config.tls_dh_params_file))
            except OSError as error:
                text = f"Failed to load DH params file: {config.tls_dh_params_file}: {reason(error)}"
                raise self._refuse(text) from None


def limit_versions(context: ssl.SSLContext, versions: list[ssl.TLSVersion]) -> None:
    """Let *context* speak *versions* only."""
    lowest, highest = min(versions), max(versions)
    with warnings.catch_warnings():  # old versions are the operator's decision
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = lowest, highest
        for version, option in EXCLUDING.items():
            if lowest < version < highest and version not in versions:
                context.options |= option


def is_certificate(path: str) -> bool:
    """Whether the file at *path* has a certificate."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:
        return False
    return True


def reason(error: Exception) -> str:
    """Why a file was not taken, without the place in Python's source."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return f"{error.library} routines::{error.reason.lower().replace('_', ' ')}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.partition(" (_ssl.c")[0]
    return str(error)
