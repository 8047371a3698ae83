"""netprov: takes a machine from power-on to an installed system, and can say why."""

__version__ = "0.1.0"
