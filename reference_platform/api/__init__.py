"""The platform over HTTP: start at `app`, which maps routes to actions.

`models` are the bodies, `authentication` says who asks, `guard` keeps what is too large, of the wrong
type or unreadable away from everybody else, `protocol` does so for slow clients, `log` writes down
what was refused and why. docs/http.md is the reference.
"""
