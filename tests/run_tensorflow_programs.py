"""Run TensorFlow's own example programs on the facade: `python tests/run_tensorflow_programs.py ROOT [ROOT ...]`.

Development only. A ROOT is a checkout of TensorFlow 1.5 to 1.7, the folder of an installed TensorFlow 1.7 (which has
most of the examples), or a checkout of github.com/chiphuyen/stanford-tensorflow-tutorials, whose `examples` are those
of the lecture CS 20. Each program is taken from the first ROOT that has it, unchanged: only what `import tensorflow`
finds differs. Data that a program would download is replaced by data of the same form, written here; the table that is
printed says which. The exit status is 1 if a program or a cell of a notebook failed.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import importlib.util
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest.mock
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tensorflow_program_data import digit_files, projector, stand_ins, tutorial_modules

from polytape.compat import programs
from polytape.compat.aliases import tensorflow_modules

EAGER = "tensorflow/contrib/eager/python/examples"
VERSIONS = ("tensorflow/core/public/version.h", "tensorflow/include/tensorflow/core/public/version.h")
Start = Callable[[Path], int]


class Program(NamedTuple):
    """A program: its path below a ROOT, what runs, and a pattern whose first group is the loss in its output."""

    path: str
    ran: str
    start: Start
    loss: str = ""


def main_of(*arguments: str, images: int = 0) -> Start:
    """Run the program as `python -m polytape.compat run` does, with these arguments."""

    def start(path: Path) -> int:
        aliases = functools.partial(tensorflow_modules, tutorial_modules(images) if images else None)
        with unittest.mock.patch.object(programs, "tensorflow_modules", aliases):
            return programs.run(str(path), arguments)

    return start


@contextlib.contextmanager
def loaded(path: Path) -> Iterator[Any]:
    """The program as a module, within the scope of the aliases."""
    sys.path.insert(0, str(path.parent))
    with tensorflow_modules(projector()):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


def penn_treebank(path: Path) -> int:
    """Sentences of a small grammar, in files with the names of the Penn Treebank."""
    random = np.random.default_rng(0)
    words = [[f"{kind}{number}" for number in range(5)] for kind in ("the", "old", "dog", "sees", "one")]
    text = "".join(" " + " ".join(random.choice(kind) for kind in words) + " \n" for _ in range(300))
    for name in ("train", "valid"):
        Path(f"ptb.{name}.txt").write_text(text, encoding="utf-8")
    sizes = "--seq-len 6 --embedding-dim 32 --hidden-dim 32 --epoch 3"
    return main_of("--data-path", ".", "--logdir", "saved", "--no-use-cudnn-rnn", *sizes.split())(path)


def colorbot(path: Path) -> int:
    """`main` with `load_dataset` replaced: TensorFlow's has tensors of strings, which polytape does not have."""
    with loaded(path) as program:
        tf = program.tf

        def load_dataset(data_dir: str, url: str, batch_size: int) -> Any:
            random = np.random.default_rng(0)
            letters = random.integers(97, 122, (64, 12))
            chars = np.eye(256, dtype=np.float32)[letters]
            rgb = np.stack([letters[:, 0], letters[:, 1], letters[:, 2]], 1).astype(np.float32) / 128 - 0.5
            lengths = np.full(64, 12, np.int64)
            return tf.data.Dataset.from_tensor_slices((rgb, chars, lengths)).batch(batch_size)

        program.load_dataset = load_dataset
        program.FLAGS = argparse.Namespace(
            dir=".", log_interval=10, num_epochs=6, rnn_cell_sizes=[32, 16], batch_size=32, keep_probability=0.9,
            learning_rate=0.01, no_gpu=True,
        )  # fmt: skip
        program.six.moves.input = lambda prompt: ""
        tf.enable_eager_execution()
        program.main([])
    return 0


def residual_network(path: Path) -> int:
    """The steps of the program's own test: two training steps on two random images, then the same without training."""
    with loaded(path) as program:
        tf = program.tf
        tf.enable_eager_execution()
        tf.set_random_seed(0)
        model, optimizer = program.ResNet50("channels_last"), tf.train.GradientDescentOptimizer(0.1)
        images, labels = tf.random_uniform((2, 224, 224, 3)), tf.one_hot([1, 2], 1000)

        def loss() -> Any:
            found = tf.losses.softmax_cross_entropy(logits=model(images, training=True), onehot_labels=labels)
            print("loss", found.numpy())
            return found

        for _ in range(2):
            optimizer.minimize(loss)
        assert model(images, training=False).shape == (2, 1000)
        assert len(model.variables) == 320, len(model.variables)
    return 0


def notebook(path: Path) -> int:
    """All cells in order. A cell that fails is reported and left out, and the notebook runs again."""
    source = json.loads(path.read_text(encoding="utf-8"))
    total = sum(cell["cell_type"] == "code" for cell in source["cells"])
    failed: list[str] = []
    while True:
        Path(path.name).write_text(json.dumps(source), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, __file__, "--inside", path.name, "--file", path.name],
            capture_output=True, text=True, encoding="utf-8", timeout=300, check=False,
        )  # fmt: skip
        cell = re.search(r"Error in cell (\d+)", done.stderr)
        if done.returncode == 0 or cell is None:
            break
        failed.append(f"cell {cell[1]}: {summary(done.stderr)}")
        source["cells"][int(cell[1]) - 1]["source"] = ""
    print("CELLS", f"{total - len(failed)} of {total} cells", *failed, sep="; ")
    return done.returncode


def lecture_data(path: Path) -> None:
    """Copy the lecture's table of births and lives to where its programs look for it."""
    Path("data").mkdir()
    shutil.copy(path.parent / "data" / "birth_life_2010.txt", "data")


def lecture_digits(path: Path) -> int:
    """The program from its first line to its last, on files of 256 images."""
    digit_files(256)
    return main_of()(path)


def lecture_network(path: Path) -> int:
    """`ConvNet`: the graph is built, trained for some epochs with a checkpoint after each, and restored."""
    digit_files(256)
    with loaded(path) as program:
        model = program.ConvNet()
        model.batch_size, model.skip_step = 64, 2
        model.build()
        model.train(3)
        model.train(1)  # it begins with what the first call saved
    return 0


def letters(path: Path) -> int:
    """`CharRNN`: some steps on sentences of a small grammar; after each, it writes 20 letters and saves."""
    random = np.random.default_rng(0)
    Path("data").mkdir()
    lines = [" ".join(random.choice(["the", "old", "dog", "sees"], 20)) for _ in range(40)]
    Path("data/trump_small.txt").write_text("\n".join(lines), encoding="utf-8")
    with loaded(path) as program:
        model = program.CharRNN("trump_small")  # its letters include those that it begins with
        model.hidden_sizes, model.batch_size, model.lr, model.num_steps, model.len_generated = [16, 32], 8, 0.01, 20, 20
        every = program.read_batch
        program.read_batch = lambda stream, size: itertools.islice(every(stream, size), 6)
        program.utils.safe_mkdir("checkpoints")
        program.utils.safe_mkdir("checkpoints/trump_small")
        model.create_model()
        with contextlib.suppress(StopIteration):  # where the batches end
            model.train()
    return 0


def lecture_regression(path: Path) -> int:
    """The program from its first line to its last."""
    lecture_data(path)
    return main_of()(path)


def word_vectors(path: Path) -> int:
    """`main` with fewer steps, on words drawn by Zipf's law in a file like text8."""
    random = np.random.default_rng(0)
    numbers = np.minimum(random.zipf(1.3, 100_000), 49_999)
    Path("data").mkdir()
    with zipfile.ZipFile("data/text8.zip", "w") as archive:
        archive.writestr("text8", " ".join(f"w{number}" for number in numbers))
    with loaded(path) as program:
        program.NUM_TRAIN_STEPS, program.SKIP_STEP = 400, 100
        program.main()
    return 0


PROGRAMS = (
    Program(f"{EAGER}/linear_regression/linear_regression.py", "the program", main_of(), r"loss = (\S+)"),
    Program(
        f"{EAGER}/mnist/mnist.py", "the program, its 10 epochs, on 64 synthetic images of 10 classes",
        main_of("--no-gpu", "--batch-size", "16", "--lr", "0.05", "--checkpoint_dir", "saved", images=64),
        r"Average loss: (\S+),",
    ),
    Program(
        f"{EAGER}/gan/mnist.py", "the program, its 100 epochs, on 8 synthetic images",
        main_of("--no-gpu", "--batch-size", "4", "--log-interval", "1", "--checkpoint_dir", "saved", images=8),
        r"Average Discriminator Loss: (\S+)",
    ),
    Program(
        f"{EAGER}/rnn_ptb/rnn_ptb.py", "the program, 3 epochs, with the LSTM cells, on sentences of a small grammar",
        penn_treebank, r"eval loss (\S+)",
    ),
    Program(
        f"{EAGER}/rnn_colorbot/rnn_colorbot.py",
        "`main`, 6 epochs, with `load_dataset` replaced: it splits and parses tensors of strings",
        colorbot, r"eval/loss: (\S+)",
    ),
    Program(
        f"{EAGER}/resnet50/resnet50.py", "as its own test does: 2 training steps on 2 random images of 224x224",
        residual_network, r"loss (\S+)",
    ),
    Program(f"{EAGER}/notebooks/1_basics.ipynb", "all cells", notebook),
    Program(f"{EAGER}/notebooks/2_gradients.ipynb", "all cells; `np.asscalar`, which NumPy removed, added", notebook),
    Program(f"{EAGER}/notebooks/3_datasets.ipynb", "all cells", notebook),
    Program("examples/04_linreg_eager.py", "the program, on its data", lecture_regression, r"Epoch \d+: (\S+)"),
    Program(
        "examples/04_word2vec_eager.py", "`main`, 400 of its 100000 steps, on words drawn by Zipf's law",
        word_vectors, r"Average loss at step \d+:\s+(\S+)",
    ),
    Program("examples/02_lazy_loading.py", "the program", main_of()),
    Program("examples/02_placeholder.py", "the program", main_of()),
    Program("examples/02_simple_tf.py", "the program", main_of()),
    Program("examples/02_variables.py", "the program", main_of()),
    Program("examples/03_linreg_placeholder.py", "the program, on its data", lecture_regression, r"Epoch \d+: (\S+)"),
    Program("examples/03_linreg_dataset.py", "the program, on its data", lecture_regression, r"Epoch \d+: (\S+)"),
    Program(
        "examples/03_logreg_placeholder.py", "the program, its 30 epochs, on 256 synthetic images",
        main_of(images=256), r"Average loss epoch \d+: (\S+)",
    ),
    Program(
        "examples/03_logreg.py", "the program, its 30 epochs, on files with 256 synthetic images", lecture_digits,
        r"Average loss epoch \d+: (\S+)",
    ),
    Program(
        "examples/04_word2vec.py", "`main`, 400 of its 100000 steps, on words drawn by Zipf's law", word_vectors,
        r"Average loss at step \d+:\s+(\S+)",
    ),
    Program("examples/05_randomization.py", "the program", main_of()),
    Program("examples/05_variable_sharing.py", "the program", main_of()),
    Program(
        "examples/07_convnet_layers.py", "`build` and `train`, 4 epochs, on files with 256 synthetic images",
        lecture_network, r"Average loss at epoch \d+: (\S+)",
    ),
    Program(
        "examples/07_convnet_mnist.py", "`build` and `train`, 4 epochs, on files with 256 synthetic images",
        lecture_network, r"Average loss at epoch \d+: (\S+)",
    ),
    Program(
        "examples/11_char_rnn.py", "6 steps of `CharRNN` with fewer units, on sentences of a small grammar", letters,
        r"Loss (\S+)\.",
    ),
    Program("assignments/01/q1_sol.py", "the program", main_of()),
)  # fmt: skip


def summary(text: str) -> str:
    """The last line of a traceback that names an error."""
    lines = [line for line in text.splitlines() if re.match(r"[\w.]+(Error|Exception|Exit)\b", line)]
    return (lines or text.splitlines() or ["no output"])[-1]


def version_of(root: Path) -> str:
    """The version of TensorFlow that a ROOT has; of another ROOT, the name of its folder."""
    for name in VERSIONS:
        if (root / name).is_file():
            parts = re.findall(r"define TF_(?:\w+_VERSION|VERSION_SUFFIX) (\S+)", (root / name).read_text("utf-8"))
            return "TensorFlow " + ".".join(parts[:3]) + parts[3].strip('"')
    return "CS 20"


def outcome(program: Program, path: Path, timeout: int) -> tuple[bool, str]:
    """Run a program in its own process and folder: whether it passed, and what it printed of its loss or error."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__).resolve()), "--inside", program.path, "--file", str(path)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, encoding="utf-8", cwd=folder, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            return False, f"more than {timeout} s"
    text = done.stdout + done.stderr
    if done.returncode:
        return False, summary(done.stderr)
    found = re.search(r"CELLS; (.*)", text)
    if found:
        return ";" not in found[1], found[1]
    if not program.loss:
        return True, "runs to its end"
    losses = [float(value) for value in re.findall(program.loss, text)]
    if not losses or not np.isfinite(losses).all():
        return False, f"no finite losses: {losses}"
    return True, f"loss {losses[0]:.4g}, at the end {losses[-1]:.4g}"


def main() -> int:
    """Run the programs, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", nargs="*", type=Path, metavar="ROOT")
    parser.add_argument("--only", default="", help="run only the programs whose path contains this")
    parser.add_argument("--timeout", type=int, default=600, help="seconds per program (default 600)")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        stand_ins()
        starts = {program.path: program.start for program in PROGRAMS}
        return starts.get(options.inside, main_of())(options.file)
    if not options.roots:
        parser.error("name at least one ROOT")
    print("| program | of | what ran | result |\n|---|---|---|---|")
    failures = 0
    for program in PROGRAMS:
        root = next((root for root in options.roots if (root / program.path).is_file()), None)
        if root is None or options.only not in program.path:
            continue
        passed, text = outcome(program, (root / program.path).resolve(), options.timeout)
        failures += not passed
        name, result = program.path.replace(f"{EAGER}/", ""), text.replace("|", "\\|")
        print(f"| `{name}` | {version_of(root)} | {program.ran} | {'' if passed else 'fails: '}{result} |", flush=True)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
