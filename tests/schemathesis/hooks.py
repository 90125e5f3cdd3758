"""Media types of our own that schemathesis does not know how to write."""

import schemathesis


@schemathesis.serializer(
    "application/toml", "text/csv", "application/geo+json", "application/x-ndjson", "application/offset+octet-stream"
)
def as_text(ctx, value):
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else str(value).encode()
