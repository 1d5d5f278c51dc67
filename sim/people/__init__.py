"""People: members who order, pay, look, give up and come back; staff who take tickets.

Start at `member` (one order's life as its buyer lives it). `phone` records what a person asked for
and was told: the USR book. `staff` is the money desk.
"""

from sim.people.member import Member, Members, Shop
from sim.people.phone import Phone
from sim.people.staff import Staff

__all__ = ["Member", "Members", "Phone", "Shop", "Staff"]
