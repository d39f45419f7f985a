"""Connections that are judged by the address that they reached, before a byte is sent.

Belongs here: the hook into urllib3. Which addresses are fine, `core.collection.addresses` says.
"""

from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from emovid_assets.core.collection.addresses import is_allowed, require_public


class CheckingAdapter(HTTPAdapter):
    """Opens connections that are judged by the address they reached."""

    def __init__(self, allowed_hosts: frozenset[str]) -> None:
        self._allowed_hosts = allowed_hosts
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        allowed = self._allowed_hosts

        def checked(kind: type[HTTPConnection]) -> type[HTTPConnection]:
            class Checked(kind):  # type: ignore[misc, valid-type]
                def _new_conn(self) -> Any:
                    connection = super()._new_conn()
                    if not is_allowed(self.host, self.port, allowed):
                        try:
                            require_public(connection.getpeername()[0])
                        except BaseException:
                            connection.close()
                            raise
                    return connection

            return Checked

        class Http(HTTPConnectionPool):
            ConnectionCls = checked(HTTPConnection)

        class Https(HTTPSConnectionPool):
            ConnectionCls = checked(HTTPSConnection)  # type: ignore[assignment]

        self.poolmanager.pool_classes_by_scheme = {"http": Http, "https": Https}
