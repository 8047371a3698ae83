"""What the fixtures give."""

from collections.abc import Callable

from netprov.errors import Problem
from netprov.inventory.model import Inventory

Loads = Callable[[str], Inventory]
Refuses = Callable[[str], tuple[Problem, ...]]
