"""Record what TensorFlow 1.7 prints for graph programs: ``python tests/record_tensorflow_graphs.py PROGRAMS > JSON``.

Development only. It runs under Python 3.6 with tensorflow==1.7.0, so it uses that version's Python. PROGRAMS is the
file tests/core/compat/data/graph_programs.txt, and the JSON tests/core/compat/data/graph_programs.json. With the
argument ``polytape`` behind PROGRAMS it runs the programs on `polytape.compat`, under any Python that polytape has;
with titles behind that, only the programs with one of them.

A line ``# === title`` begins a program. Each starts with a new default graph, in a folder of its own, and has ``tf``,
``tfe``, ``np``, and ``failure(call)``, which prints the error that a call raises.
"""

import contextlib
import io
import json
import os
import re
import sys
import tempfile

import numpy as np

if "polytape" in sys.argv:
    from polytape.compat import tf1 as tf, tfe

    np.set_printoptions(legacy="1.21")  # scalars print as numbers, as with the NumPy of TensorFlow 1.7's time
else:
    import tensorflow as tf
    import tensorflow.contrib.eager as tfe


def line_of(error: BaseException) -> str:
    """The class of an error and the first line of its text; of polytape's, all classes."""
    classes = [type(error).__name__]
    if "polytape" in sys.argv:
        classes = list(dict.fromkeys(cls.__name__ for cls in type(error).__mro__[:-1]))
    return f"{'|'.join(classes)}: {(str(error).splitlines() or [''])[0]}"


def failure(call: object) -> None:
    """Print the error that a call raises, or what it returned."""
    try:
        print("no error:", call())
    except Exception as error:
        print(line_of(error))


def programs(text: str) -> list:
    """The programs of a file: pairs of title and source."""
    parts = re.split(r"^# === (.*)\n", text, flags=re.M)
    return [(parts[place], parts[place + 1]) for place in range(1, len(parts), 2)]


def printed(title: str, source: str) -> str:
    """What a program prints, and its error."""
    tf.reset_default_graph()
    output = io.StringIO()
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(output):
        os.chdir(folder)
        try:
            exec(compile(source, title, "exec"), {"tf": tf, "tfe": tfe, "np": np, "failure": failure})
        except Exception as error:
            print("ends with " + line_of(error))
        finally:
            os.chdir(before)
    return output.getvalue()


def main() -> None:
    """Print the titles of the programs with what each printed."""
    with open(sys.argv[1]) as file:
        found = programs(file.read())
    chosen = sys.argv[3:]
    rows = [[title, printed(title, source)] for title, source in found if not chosen or title in chosen]
    print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")


main()
