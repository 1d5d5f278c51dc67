"""People: members who order, pay, look, give up and come back; staff who take tickets.

Start at `member` (one order's life as its buyer lives it), then `paying`. `person` is who they are
and what may befall them, `phone` records what they asked for and were told: the USR book. `staff` is
the money desk.
"""

from sim.people.member import Member, Members
from sim.people.person import Person, Shop
from sim.people.phone import Phone
from sim.people.staff import Staff

__all__ = ["Member", "Members", "Person", "Phone", "Shop", "Staff"]
