"""The files with which the repository of a backend tracks its performance: ``polytape perf init``."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path
from typing import Final

from polytape.errors import SettingError

__all__ = ["files", "write"]

_GROUP: Final = "polytape.backends.v1"
_WORKFLOW: Final = """\
# On a pull request: whether it makes the backend slower. Each night: the times of the newest commit, and their pages.
name: performance
on:
  pull_request:
  schedule:
    - cron: "43 2 * * *"
  workflow_dispatch:
env:
  BACKEND: @NAME@
jobs:
  gate:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    permissions:
      contents: read
      pull-requests: write # the comment
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0 # the gate builds the base too
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
      - run: pip install .
      - run: polytape perf gate origin/${{ github.base_ref }} --backends "$BACKEND" --markdown report.md
      - if: always()
        run: cat report.md >> "$GITHUB_STEP_SUMMARY"
      - name: Comment, which a pull request from a fork may not
        if: always() && github.event.pull_request.head.repo.full_name == github.repository
        env:
          GH_TOKEN: ${{ github.token }}
        run: >
          gh pr comment ${{ github.event.number }} --edit-last --body-file report.md ||
          gh pr comment ${{ github.event.number }} --body-file report.md
  nightly:
    if: github.event_name != 'pull_request'
    runs-on: ubuntu-latest
    concurrency: asv-results # one run at a time pushes
    permissions:
      contents: write # the branch with the times
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
      - run: pip install . 'polytape[bench]'
      - name: Fetch the times of earlier nights, or begin
        run: |
          git config user.name github-actions
          git config user.email github-actions@users.noreply.github.com
          if git fetch origin asv-results; then
            git worktree add kept FETCH_HEAD
          else
            git worktree add --detach kept
            git -C kept checkout --orphan asv-results
            git -C kept read-tree --empty
            git -C kept clean -fdxq
          fi
          mkdir -p kept/records kept/asv
          ln -s "$PWD/kept/asv" asv_bench/results
      - run: polytape perf record HEAD --backends "numpy,$BACKEND" --results kept/records
      - name: The same cases by asv, those of the panel
        if: always()
        working-directory: asv_bench
        run: |
          asv machine --yes --machine nightly
          ASV_POLYTAPE_CASES=panel asv run --machine nightly HEAD^!
      - name: Keep them, also if another run has pushed meanwhile, or a backend was not measured
        if: always()
        run: |
          cd kept
          git add .
          git diff --cached --quiet || git commit -m "Times of ${GITHUB_SHA:0:10}"
          for attempt in 1 2 3; do
            git push origin HEAD:asv-results && exit
            git pull --rebase origin asv-results
          done
          exit 1
      - run: polytape perf site --results kept/records --output site
      - run: cd asv_bench && asv publish --no-pull --html-dir ../site/asv
      - uses: actions/upload-artifact@v4
        with:
          name: performance
          path: site
"""
_CASES: Final = '''\
"""Cases of this backend's own for `polytape perf`, beside those that every backend has."""

import numpy as np

import polytape as pt


def cumulative_sum(device):
    """Make the call on a device, and check its result."""
    host = np.random.default_rng(0).normal(size=10_000).astype("f4")
    x = pt.asarray(host, device=device)
    np.testing.assert_allclose(pt.cumulative_sum(x).numpy(), np.cumsum(host, dtype="f8"), rtol=1e-3, atol=1e-3)
    return lambda: pt.cumulative_sum(x)


CASES = [("own/cumulative_sum", cumulative_sum)]
'''
_ASV: Final = """\
{
    "version": 1,
    "project": "@DISTRIBUTION@",
    "repo": "..",
    "branches": ["HEAD"],
    "plugins": [".polytape_perf.asv_plugin"],
    "environment_type": "virtualenv",
    "build_command": ["python -m pip wheel --no-deps --wheel-dir {build_cache_dir} {build_dir}"],
    "install_command": ["in-dir={env_dir} python -m pip install {wheel_file}"],
    "matrix": {"req": {"polytape": ["@VERSION@"]}, "env_nobuild": {"OMP_NUM_THREADS": ["1"]}},
    "launch_method": "forkserver",
    "benchmark_dir": "benchmarks",
    "env_dir": "env",
    "results_dir": "results",
    "html_dir": "html"
}
"""
_BENCHMARKS: Final = '''\
"""polytape's cases as benchmarks of asv; those of this backend's own are in perf_cases.py."""

from pathlib import Path

from polytape_perf.suite import families

globals().update(families(str(Path(__file__).parents[2] / "perf_cases.py")))  # one class per family
'''
_TABLE: Final = '\n[tool.polytape.perf]\ncases = "perf_cases.py"\n'


def files(repo: Path) -> dict[str, str]:
    """Path -> text of the files for this repository's distribution.

    Raises:
        SettingError: the distribution has no backend.
    """
    content = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    backends = list(content.get("entry-points", {}).get(_GROUP, {}))
    if not backends:
        raise SettingError(
            f"{repo.name} has no backend.",
            expected=f"an entry point in the group {_GROUP} of pyproject.toml",
            got="none",
            fix="run the command in the repository of a backend, or make one with `polytape new-backend`",
        )
    values = {
        "@NAME@": ",".join(backends),
        "@DISTRIBUTION@": content["name"],
        "@VERSION@": importlib.metadata.version("polytape"),
    }
    found = {
        ".github/workflows/performance.yml": _WORKFLOW,
        "perf_cases.py": _CASES,
        "asv_bench/asv.conf.json": _ASV,
        "asv_bench/benchmarks/__init__.py": "",
        "asv_bench/benchmarks/bench_polytape.py": _BENCHMARKS,
    }
    for name, text in found.items():
        for mark, value in values.items():
            text = text.replace(mark, value)
        found[name] = text
    return found


def write(repo: Path) -> list[str]:
    """Write the files that are not there yet, and name them in pyproject.toml; return what was written."""
    written = []
    for name, text in files(repo).items():
        path = repo / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(name)
    project = repo / "pyproject.toml"
    if "[tool.polytape.perf]" not in project.read_text(encoding="utf-8"):
        with project.open("a", encoding="utf-8") as file:
            file.write(_TABLE)
        written.append("pyproject.toml")
    return written
