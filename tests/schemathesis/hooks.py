"""Media types of our own that schemathesis does not know how to write."""

import schemathesis


@schemathesis.serializer("application/toml", "text/csv")
def as_text(ctx, value):
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else str(value).encode()
