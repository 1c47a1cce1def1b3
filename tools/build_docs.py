"""Build the documentation as a site: `python tools/build_docs.py`, with the extra `docs` installed.

Copies docs/, README and the other pages that docs/ links to into a folder, adds a page for every public name and every
op (tools/name_pages.py), and runs MkDocs in strict mode: a link that leads nowhere is an error.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import name_pages
import write_reference as reference

__all__ = ["main", "stage"]

CHECKOUT = Path(__file__).resolve().parent.parent
DOCS = CHECKOUT / "docs"
# Pages outside docs/; on the site they are in the folder `project`.
PROJECT = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "examples/README.md", "examples/sim_backend/README.md")
# A link, or a code span, in which nothing is a link.
LINK = re.compile(r"`[^`\n]*`|(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
ROW = re.compile(r"^\| (`(pt\.[\w.]+)[^`]*`) \|", re.MULTILINE)
FENCED = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
NO_RUN = re.compile(r"^```python +no-run[^\n]*$", re.MULTILINE)


def target_of(source: Path) -> str:
    """The address on the site of a file of the checkout; "" if the site does not have it."""
    if source.is_relative_to(DOCS):
        return source.relative_to(DOCS).as_posix()
    name = source.relative_to(CHECKOUT).as_posix() if source.is_relative_to(CHECKOUT) else ""
    return f"project/{name}" if name in PROJECT else ""


def relinked(content: str, source: Path) -> str:
    """A page of the checkout with its links as they are on the site; a link to a file that is no page becomes text."""

    def link(match: re.Match[str]) -> str:
        mark, words, address = match.groups()
        if address is None:
            return match[0]
        path, hash_mark, anchor = address.partition("#")
        if not path or "://" in address or address.startswith("mailto:"):
            return match[0]
        file = (source.parent / path).resolve()
        if not file.exists():
            raise SystemExit(f"{source.relative_to(CHECKOUT)} links to {path}, which does not exist")
        target = target_of(file)
        if file.is_dir() or not target:
            return words
        return f"{mark}[{words}]({name_pages.relative(target, target_of(source))}{hash_mark}{anchor})"

    pieces = FENCED.split(content)
    return "".join(piece if piece.startswith("```") else LINK.sub(link, piece) for piece in pieces)


def linked_tables(content: str, page: str, pages: name_pages.Pages) -> str:
    """A page of docs/api whose tables link each name in their first column to its own page."""

    def link(row: re.Match[str]) -> str:
        target = pages.address.get(row[2])
        return f"| [{row[1]}]({name_pages.relative(target, page)}) |" if target else row[0]

    return ROW.sub(link, content)


def stage(folder: Path) -> int:
    """Write all pages of the site into a folder; return their number."""
    pages = name_pages.Pages()
    shutil.rmtree(folder, ignore_errors=True)
    sources = [*sorted(DOCS.rglob("*")), *(CHECKOUT / name for name in PROJECT)]
    count = 0
    for source in sources:
        target = folder / target_of(source)
        if source.is_dir():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix != ".md":
            shutil.copyfile(source, target)
            continue
        content = NO_RUN.sub("```python", relinked(source.read_text(encoding="utf-8"), source))
        if source.parent == reference.PAGES:
            content = linked_tables(content, target_of(source), pages)
        target.write_text(content, encoding="utf-8")
        count += 1
    for address, content in pages.everything():
        target = folder / address
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
        count += 1
    return count


def main() -> int:
    """Write the pages and build the site; return MkDocs' exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=CHECKOUT / "build" / "site", help="(default build/site)")
    parser.add_argument("--pages-only", action="store_true", help="write the pages, but do not run MkDocs")
    options = parser.parse_args()
    output = options.output.resolve()
    folder = output.with_name(f"{output.name}-pages")
    print(f"{stage(folder)} pages in {folder}", flush=True)
    if options.pages_only:
        return 0
    config = folder.with_suffix(".yml")
    config.write_text(f"INHERIT: {CHECKOUT / 'mkdocs.yml'}\ndocs_dir: {folder}\nsite_dir: {output}\n", encoding="utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-f", str(config)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # a notice of another product
    return subprocess.run(command, check=False, env=environment).returncode


if __name__ == "__main__":
    raise SystemExit(main())
