"""One contract for our Toxiproxy server and the upstream one. Start with `servers.py` and `lines.py`."""
