"""Ports for servers that tests start, also where several test processes start some at once."""

import socket
from contextlib import closing


def free_port() -> int:
    """A port of the loopback address that the system gives to nobody else for a minute.

    A connection that its server closes leaves the port in TIME_WAIT: servers, which bind with
    SO_REUSEADDR, may take it, but it is not chosen for anyone who asks for any port.
    """
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        port: int = listener.getsockname()[1]
        with closing(socket.create_connection(("127.0.0.1", port))):
            accepted, _ = listener.accept()
            accepted.close()
        return port
