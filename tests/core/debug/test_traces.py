"""Files in the Trace Event Format: every rule that a viewer relies on."""

from __future__ import annotations

import json
import threading
from itertools import groupby
from pathlib import Path
from typing import Any

from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.debug.traces import Event, trace_of

Trace = dict[str, Any]


def check(trace: Trace) -> list[dict[str, Any]]:
    """Check a trace against the format; returns its complete events."""
    assert trace.keys() <= {"traceEvents", "displayTimeUnit"} and trace["displayTimeUnit"] in ("ms", "ns")
    events = trace["traceEvents"]
    names = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    for event in events:
        assert isinstance(event["name"], str) and isinstance(event["pid"], int)
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name") and isinstance(event["args"]["name"], str)
            continue
        assert isinstance(event["ts"], (int, float)) and event["ts"] >= 0
        if event["ph"] == "C":
            assert all(isinstance(value, (int, float)) and value >= 0 for value in event["args"].values())
        else:
            assert event["ph"] == "X" and event["dur"] >= 0 and event["tid"] in names
            assert event["cat"] in ("op", "function", "backward", "optimizer", "annotation")
    complete = [event for event in events if event["ph"] == "X"]
    for _, track in groupby(sorted(complete, key=lambda event: event["tid"]), key=lambda event: event["tid"]):
        no_partial_overlap(list(track))
    return complete


def no_partial_overlap(track: list[dict[str, Any]]) -> None:
    # In ns, because times in us are rounded.
    spans = sorted((round(event["ts"] * 1e3), -round((event["ts"] + event["dur"]) * 1e3)) for event in track)
    ends: list[int] = []
    for start, end in spans:
        while ends and ends[-1] <= start:
            ends.pop()
        assert not ends or -end <= ends[-1], (start, -end, ends)
        ends.append(-end)


def encloses(outer: dict[str, Any], inner: dict[str, Any]) -> bool:
    ends = [event["ts"] + event["dur"] for event in (inner, outer)]
    return outer["tid"] == inner["tid"] and outer["ts"] <= inner["ts"] and ends[0] <= ends[1] + 1e-3


def test_a_training_step_is_a_valid_trace_with_nested_events(tmp_path: Path, backend: str) -> None:
    with pt.device(backend):
        w = pt.Variable([[1.0, 2.0], [3.0, 4.0]])
        f = pt.function(lambda x: pt.sum(pt.nn.softmax(x @ x)))
        optimizer = pt.optim.SGD(0.1)

        def work() -> None:
            pt.tanh(w)

        with pt.debug.profile() as p, pt.debug.record_lines(), pt.debug.annotate('a "step" \N{SNOWMAN}'):
            thread = threading.Thread(target=work, name="other")
            thread.start()
            with pt.GradientTape() as tape:
                y = f(w)
            optimizer.apply_gradients([(tape.gradient(y, w), w)])
            thread.join()
    path = tmp_path / "trace.json"
    p.save_trace(path)
    trace = json.loads(path.read_text(encoding="utf-8"))
    complete = check(trace)
    spans = {event["name"]: event for event in complete}
    inside = [('a "step" \N{SNOWMAN}', "<lambda>"), ("backward pass", "<lambda>_backward"), ("SGD step", "sgd_update")]
    for outer, inner in inside:
        assert any(encloses(event, spans[inner]) for event in complete if event["name"] == outer), (outer, inner)
    assert spans["tanh"]["tid"] != spans["sgd_update"]["tid"]
    assert spans["sgd_update"]["args"]["line"].startswith(__file__) and spans["sgd_update"]["args"]["device"]
    threads = [event["args"]["name"] for event in trace["traceEvents"] if event["name"] == "thread_name"]
    assert "other" in threads and len(threads) == 2
    # The arrays of the stand-in for cupy take no weak references.
    assert backend == "cupy" or any(event["ph"] == "C" and backend in event["name"] for event in trace["traceEvents"])


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12), st.integers(1, 2)), max_size=12)


@settings(max_examples=150, deadline=None)
@given(spans)
def test_events_that_overlap_partly_are_put_on_tracks_of_their_own(parts: list[tuple[int, int, int]]) -> None:
    events = [Event("x", "annotation", start, start + length, thread) for start, length, thread in parts]
    complete = check(trace_of(events, {1: "one", 2: "two"}, []))
    assert len(complete) == len(events)


def test_a_profile_of_nothing_is_a_valid_trace(tmp_path: Path) -> None:
    with pt.debug.profile() as p:
        pass
    p.save_trace(str(tmp_path / "trace.json"))
    assert check(json.loads((tmp_path / "trace.json").read_text())) == []
    assert p.table().endswith("total: 0 calls, 0.000 ms")
