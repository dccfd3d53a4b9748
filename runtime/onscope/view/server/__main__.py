"""The server's process: it ends when the acquisition process does."""

from __future__ import annotations

from onscope.runtime.worker import parent_link


def main() -> None:
    link = parent_link()
    try:
        from ._serve import serve
    except ModuleNotFoundError as error:
        words = f"found no {error.name}, which the view's server needs: install `onscope[view]`"
        link.send({"kind": "failed", "message": words})
        return
    serve(link)


if __name__ == "__main__":
    main()
