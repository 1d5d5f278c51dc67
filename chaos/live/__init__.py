"""The live world: the same storms as in sim, on real processes, sockets and a real database.

Start with `run`, then `world`. What stands where:

- Time. `clock` is shared by all processes of a run: as fast as the wall's while anything moves, and leaping while
  nothing does, for a storm spans hours and a run must not. `slots`: what each process says of itself;
  `conductor`: who makes the clock leap; `leaplog`: which real time was which run time; `timers`, `paced`: waiting
  by the clock, on asyncio and for a `sim.kernel.Kernel`.
- Processes. `processes` starts them, and leaves none behind; `child` is one of them, over all its lives; `guardian` sees to it when
  the orchestrator itself is killed; `ports`: loopback ports; `background`: what takes real seconds.
- Parts. `platform_host`, `balancer` and `counterparty_host` (`counterparty`, `durable`, `calls`, `postman`,
  `serving`) are programs of their own, told by `settings`, with `keys`; `load` is Locust's; `postgres` and
  `initdb` run the database, `wal` and `pgoutput` read what it committed, `database` and `store` are the run's
  view of it; `toxics` and `toxic_evidence` drive Toxiproxy.
- The storm. `layout` and `links`: what is where; `options`, `limits`: what can be had; `faults`, `link_faults`,
  `machines`, `machine_clock`: how faults are done to real things; `distances`: how far apart these are; `leavings`:
  what is kept of them.
- People and history. `wire`, `asking`, `line`: HTTP from outside; `journal`: each process's events, and the merge;
  `watch`: reading them while the run goes on.
"""
