"""The command line: one command a verb, and the one place where errors become exit codes.

Reads options, asks the path or `inquiry` for what is wanted, and prints it: data to stdout, everything else
to stderr. Trusts that what it calls says in one line what is wrong, whose fault it is and what to do.
"""

from spamtide.cli.commands import app, run

__all__ = ["app", "run"]
