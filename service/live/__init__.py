"""Live streams over WebSockets, in the messages of one API or another."""
