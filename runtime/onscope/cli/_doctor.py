"""`onscope doctor`: what is here, found by trying it, and how to get what is missing."""

from __future__ import annotations

import typer


def doctor() -> None:
    """Say what is installed, what runs here, and how to install what is missing.

    Engines are tried with a small model whose answer is known. Exit code 1 when no engine can run a network here.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ._checks import SIGNS, can_run, examine

    console = Console()
    with console.status("trying the engines"):
        findings = examine()
    table = Table(box=None, padding=(0, 2), pad_edge=False, show_header=False)
    for finding in findings:
        sign, style = SIGNS[finding.state]
        words = Text(finding.found)
        if finding.remedy:
            words.append(f"\n{finding.remedy}", "yellow")
        table.add_row(Text(sign, style), Text(finding.name, "bold"), words)
    console.print(table)
    if not can_run(findings):
        console.print(Text("\nno engine can run a network here", "bold red"))
        raise typer.Exit(1)
