"""A Toxiproxy server in asyncio: the same HTTP API, the same toxics, and a seed that works.

It stands in where no `toxiproxy-server` is installed, so that the live world needs nothing but Python;
`dingfeng toxiproxy` runs it alone. docs/toxiproxy.md says what it adds and where it departs.

    refusal      what the API answers when it cannot do what was asked
    toxics       a toxic as data: name, type, stream, toxicity, attributes
    ledger       how many connections and bytes each proxy and each toxic touched
    draws        random numbers that depend on seed and connection, never on order
    stage        one toxic at work on one direction of one connection
    slicing      where the slicer cuts
    pacing       latency, bandwidth, slicer
    closing      slow_close, timeout, reset_peer, limit_data
    flow         one direction of one connection: its stages in order, and the sender made to wait
    connection   a client, its upstream, and the two flows between them
    listening    addresses as the API writes them, and sockets that listen on them
    proxy        one listener with its toxics and its open connections
    collection   all proxies of a server: add, replace, populate, reset
    api          the routes
    server       from start to the last closed socket

Imports run upwards in this list only. Everything happens in one event loop, so nothing is locked.
"""
