"""How unchanged programs start and read files: `tf.app`, `tf.gfile`, `tf.compat`; what they found missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from polytape.compat import tf1
from polytape.compat.tf1 import app, compat, errors, gfile

Program = Callable[[str], str]


def test_app_runs_main_and_ends_with_its_result(program: Program) -> None:
    printed = program(
        """
def main(argv):
    print(argv)
    return 3
try:
    tf.app.run(main=main, argv=["program", "--flag"])
except SystemExit as stop:
    print(stop.code, tf.executing_eagerly())
import sys
sys.argv = ["other"]
try:
    tf.app.run()
except SystemExit:
    pass
"""
    )
    assert printed.splitlines() == ["['program', '--flag']", "3 False", "['other']"]


def test_flags_are_read_from_the_command_line(program: Program) -> None:
    printed = program(
        """
import sys
flags = tf.app.flags
flags.DEFINE_string("name", "none", "a text")
flags.DEFINE_integer("steps", 10, "a number")
flags.DEFINE_float("rate", 0.5, "a number")
flags.DEFINE_boolean("train", True, "yes or no")
tf.flags.DEFINE_bool("quick", False, "yes or no")
flags.DEFINE_enum("kind", "a", ["a", "b"], "one of two")
sys.argv = ["program", "--steps=7", "--rate", "0.25", "--notrain", "--quick", "--unknown=1", "rest"]
FLAGS = flags.FLAGS
print(FLAGS.name, FLAGS.steps, FLAGS.rate, FLAGS.train, FLAGS.quick, FLAGS["kind"], FLAGS is tf.flags.FLAGS)
FLAGS.steps = 3
print(FLAGS.steps, sorted(FLAGS))
def main(argv):
    print(argv, FLAGS.quick)
try:
    tf.app.run()
except SystemExit as stop:
    print(stop.code)
flags.DEFINE_integer("late", 1, "declared later")
print(FLAGS.late)
try:
    FLAGS.missing
except AttributeError as error:
    print(error)
"""
    )
    assert printed.splitlines() == [
        "none 7 0.25 False True a True",
        "3 ['kind', 'name', 'quick', 'rate', 'steps', 'train']",
        "['program', '--unknown=1', 'rest'] True",
        "None",
        "1",
        "Unknown command line flag 'missing'; declared are: kind, late, name, quick, rate, steps, train",
    ]


def test_messages_are_logged_from_a_level_on(program: Program) -> None:
    printed = program(
        """
import sys
sys.stderr = sys.stdout
print(tf.logging.get_verbosity() == tf.logging.WARN)
tf.logging.info("too low %d", 1)
tf.logging.warn("high %d", 2)
tf.logging.set_verbosity(tf.logging.INFO)
tf.logging.info("now %s", "seen")
for step in range(5):
    tf.logging.log_every_n(tf.logging.ERROR, "step %d", 2, step)
    tf.logging.log_first_n(tf.logging.ERROR, "first %d", 1, step)
"""
    )
    assert printed.splitlines() == [
        "True",
        "WARNING:tensorflow:high 2",
        "INFO:tensorflow:now seen",
        "ERROR:tensorflow:step 0",
        "ERROR:tensorflow:first 0",
        "ERROR:tensorflow:step 2",
        "ERROR:tensorflow:step 4",
    ]


def test_options_of_sessions_are_accepted_and_unknown_ones_rejected(program: Program) -> None:
    printed = program(
        """
config = tf.ConfigProto(allow_soft_placement=True, gpu_options=tf.GPUOptions(per_process_gpu_memory_fraction=0.3))
config.gpu_options.allow_growth = True
config.graph_options.optimizer_options.opt_level = tf.OptimizerOptions.L0
config.intra_op_parallelism_threads = 1
print(config, config.log_device_placement)
x = tf.constant(2.0)
with tf.Session(config=config) as session:
    options, found = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), tf.RunMetadata()
    print(session.run(x * x, options=options, run_metadata=found))
for wrong in (lambda: tf.ConfigProto(threads=1), lambda: config.threads, lambda: setattr(config, "threads", 1)):
    try:
        wrong()
    except (AttributeError, ValueError) as error:
        print(error)
"""
    )
    assert printed.splitlines() == [
        "ConfigProto(allow_soft_placement=True, gpu_options=GPUOptions(per_process_gpu_memory_fraction=0.3, "
        "allow_growth=True), graph_options=GraphOptions(optimizer_options=OptimizerOptions(opt_level=-1)), "
        "intra_op_parallelism_threads=1) 0",
        "4.0",
        "Protocol message ConfigProto has no 'threads' field.",
        "'ConfigProto' object has no attribute 'threads'",
        "Protocol message ConfigProto has no 'threads' field.",
    ]


def test_files_and_folders(tmp_path: Path) -> None:
    folder, path, copy = (str(tmp_path / name) for name in ("a/b", "a/b/text", "a/b/copy"))
    gfile.MakeDirs(folder)
    gfile.MakeDirs(folder)
    with gfile.Open(path, "w") as file:
        file.write("één\n")
    with gfile.GFile(path, "rb") as file:
        assert file.read() == "één\n".encode()
    gfile.Copy(path, copy)
    with pytest.raises(errors.AlreadyExistsError, match="copy"):
        gfile.Copy(path, copy)
    with pytest.raises(errors.AlreadyExistsError):
        gfile.Rename(path, copy)
    gfile.Rename(path, copy, overwrite=True)
    assert gfile.ListDirectory(folder) == ["copy"] and gfile.Glob(folder + "/*") == [copy]
    assert gfile.Stat(copy).st_size == 6 and list(gfile.Walk(folder)) == [(folder, [], ["copy"])]
    for missing in (
        lambda: gfile.Open(path),
        lambda: gfile.Copy(path, copy),
        lambda: gfile.Remove(path),
        lambda: gfile.ListDirectory(path),
        lambda: gfile.DeleteRecursively(path),
        lambda: gfile.MkDir(path + "/c"),
    ):
        with pytest.raises(errors.NotFoundError, match="text"):
            missing()
    with pytest.raises(errors.AlreadyExistsError):
        gfile.MkDir(folder)
    gfile.Remove(copy)
    assert gfile.IsDirectory(folder) and not gfile.Exists(copy)
    gfile.DeleteRecursively(str(tmp_path / "a"))
    assert not gfile.Exists(folder)


def test_texts_and_bytes() -> None:
    assert compat.as_bytes("é") == b"\xc3\xa9" and compat.as_str(b"\xc3\xa9") == compat.as_text("é") == "é"
    assert compat.as_str_any(b"a") == "a" and compat.as_str_any(1) == "1"
    for function in (compat.as_bytes, compat.as_text):
        with pytest.raises(TypeError, match="Expected binary or unicode string, got 1"):
            function(1)  # type: ignore[arg-type]  # that is what is tested


def test_names_that_programs_use_are_found() -> None:
    assert (tf1.app, tf1.gfile, tf1.compat) == (app, gfile, compat)
    assert tf1.OpError is tf1.errors.OpError
    assert tf1.contrib.summary.create_summary_file_writer is tf1.contrib.summary.create_file_writer


def test_softmax_losses_cast_labels_to_the_dtype_of_the_logits(program: Program) -> None:
    # The value is TensorFlow 1.7.0's, for all of these; `sigmoid_cross_entropy_with_logits` does not cast.
    program(
        """
tf.enable_eager_execution()
logits = tf.constant([[1.0, 2.0, 3.0]])
for loss in (tf.nn.softmax_cross_entropy_with_logits, tf.nn.softmax_cross_entropy_with_logits_v2):
    for dtype in (tf.float64, tf.int32, tf.float32):
        found = loss(labels=tf.constant([[0, 1, 0]], dtype), logits=logits)
        assert found.dtype == tf.float32 and abs(float(found) - 1.4076059) < 1e-6
try:
    tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.constant([[0, 1, 0]], tf.float64), logits=logits)
except tf.errors.InvalidArgumentError:
    pass
else:
    raise AssertionError
"""
    )
