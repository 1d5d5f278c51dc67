"""Payment channels and suppliers: real contracts, books of their own, and ways to misbehave.

Start at `channel` and `supplier`, the state machines. They know neither kernel nor network: time
comes from injected `timers`, callbacks leave through an injected `post`, so the same classes run
in the simulator and behind an HTTP server. `contracts` holds what differs between channels,
`callbacks` the retrying sender, `signatures` the seals, `adapters` the doors of a simulated node.
"""
