"""The ports on real parts: PostgreSQL, HTTP, asyncio. Start at `waits`, which all of them share.

Foreign errors are translated here, once, into the outcomes that `ports` names.
"""
