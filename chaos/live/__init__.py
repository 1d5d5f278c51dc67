"""The live world: the same storms as in sim, on real processes, sockets and a real database.

Time comes first, for a storm spans hours and a run must not. All processes of a run share one clock:
it runs as fast as the wall's while anything moves, and leaps while nothing does.

- `clock`: the shared clock, a few words of mapped memory; `slots`: what each process says of itself in it
- `conductor`: looks at the slots and makes the clock leap; `leaplog`: which real time was which run time
- `timers`: waiting by the shared clock on asyncio; `paced`: a `sim.kernel.Kernel` run by it
- `journal`: events written down line by line by each process, merged into one history
- `processes`: starts real processes, kills and pauses them, and leaves none behind, whatever happens;
  `guardian`: the small process that sees to it when the orchestrator itself is killed; `ports`: loopback ports

`clock`, `timers`, `paced` and `journal` are for every process of a run; `conductor` and `processes` for the
orchestrator alone.
"""
