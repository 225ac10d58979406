"""One module a route; each has a `router`."""
