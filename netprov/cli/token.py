"""netprov token: a token for the API, or a user of the page, and the lines that declare it."""

from __future__ import annotations

import click

from netprov.inventory.model import Scope
from netprov.inventory.values import parse_name

_SCOPES = [scope.value for scope in Scope]


def _name(_context: click.Context, _parameter: click.Parameter, given: str | None) -> str | None:
    try:
        return parse_name(given) if given is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("name", required=False, callback=_name)
@click.option("--user", metavar="NAME", callback=_name, help="A user of the page instead: asks for the password.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(_SCOPES), help="What it may do; may be repeated.")
def token(name: str | None, user: str | None, scopes: tuple[str, ...]) -> None:
    """Make a token called NAME for a program, or a user of the page, and print what to write into netprov.yaml.

    Nothing is stored: the configuration has only the hash, and the token is printed only this once.
    """
    from netprov.web.credentials import new_password, new_token

    if (name is None) == (user is None):
        raise click.UsageError("give a token's NAME, or --user NAME")
    if user is not None:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        _print("users", user, f'password: "{new_password(password)}"', scopes)
        return
    assert name is not None
    made, hashed = new_token()
    click.echo(f"The token, shown once:\n\n  {made}\n", err=True)
    _print("tokens", name, f'hash: "{hashed}"', scopes)


def _print(section: str, name: str, secret: str, scopes: tuple[str, ...]) -> None:
    limits = f", scopes: [{', '.join(scopes)}]" if scopes else ""
    click.echo("Write into netprov.yaml:\n", err=True)
    click.echo(f'server:\n  {section}:\n    "{name}": {{{secret}{limits}}}')
