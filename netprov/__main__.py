"""`python -m netprov`."""

from netprov.cli import main

main()
