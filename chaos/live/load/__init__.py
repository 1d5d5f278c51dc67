"""Load from Locust: the very same people as in the simulator, over HTTP, in processes of their own.

`order` is what a load process is told; `command` starts Locust with it; `locustfile` is what Locust runs;
`line` speaks HTTP for people; `figures` is what comes of it. Everything but `order`, `command` and `figures`
belongs to the Locust process alone: importing Locust patches sockets and time for the whole process.
"""
