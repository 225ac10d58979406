"""otoscope.bulk.transcriber: tasks become rows, once, whatever became of those who did them."""

import json

import numpy as np
import pytest
import soundfile
from sentence_model import HEARD

pytest.importorskip("pyarrow")

from otoscope import Recognizer, load
from otoscope.bulk import looking, pieces, transcriber
from otoscope.bulk.looking import look_at
from otoscope.bulk.piece_files import PieceFiles
from otoscope.bulk.plan import make_plan, name_of
from otoscope.bulk.store import Store, find_sources
from otoscope.bulk.table import Table, posteriors_of
from otoscope.bulk.transcriber import ATTEMPTS, Transcriber, join
from otoscope.local_model import LocalModel
from otoscope.longform.windows import WindowOptions


@pytest.fixture
def spec(written_model):
    return Recognizer(written_model).spec


def planned(archive, spec, job):
    table = Table(Store(job.out), job.fingerprint())
    keys = PieceFiles(Store(job.out), job.fingerprint()).keys()
    looks = [look_at(source, spec) for source in find_sources([str(archive)])]
    return table, make_plan(looks, table.held(), keys, cost=0.1, workers=1)


def rows_of(table, task):
    return {row["source"].rpartition("/")[2]: row for row in table.rows(name_of(task))}


def begin(_key):
    return 1


def test_rows_of_texts_and_of_problems(archive, spec, make_job):
    job = make_job(posteriors=True, also=("srt", "json"))
    table, plan = planned(archive, spec, job)
    [task] = plan.tasks
    report = Transcriber(job).do(task, begin)
    assert (report.done, report.unread) == (3, [])
    assert report.problems == {"audio-unreadable": 1, "audio-empty": 1}
    rows = rows_of(table, task)
    first = rows["0.flac"]
    assert (first["text"], first["written"]) == (HEARD, f"W{HEARD[1:]}")
    assert [word["word"] for word in first["words"]] == HEARD.split()
    assert first["copies"] == [f"{archive}/more/copy.flac"]
    assert first["model_sha256"] == Recognizer(job.model).sha256
    assert "expected an audio file" in rows["empty.mp3"]["problem"]
    assert rows["text.wav"]["text"] is None
    samples = load(archive / "0.flac", 16000).samples
    [expected] = Recognizer(job.model).posteriors([samples])
    np.testing.assert_allclose(posteriors_of(first), expected.probs, atol=1e-3)
    store = Store(job.out)
    assert len(store.names("srt")) == 3
    [document, *_] = [json.loads(store.read(name)) for name in store.names("json")]
    assert document["text"] == HEARD


def test_a_longest_name_is_cut_in_names_of_further_formats(sample, spec, make_job, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / ("\u00e4" * 125 + ".flac")).write_bytes(sample.read_bytes())
    job = make_job(also=("textgrid",))
    _, plan = planned(folder, spec, job)
    assert Transcriber(job).do(plan.tasks[0], begin).done == 1
    [name] = Store(job.out).names("textgrid")
    assert name.startswith("textgrid/" + "\u00e4" * 115 + "-")
    assert name.endswith(".TextGrid")


def test_a_task_that_was_done_is_not_done_again(archive, spec, make_job, monkeypatch):
    job = make_job()
    _, plan = planned(archive, spec, job)
    worker = Transcriber(job)
    before = worker.do(plan.tasks[0], begin)
    monkeypatch.setattr(LocalModel, "recognize", None)
    after = worker.do(plan.tasks[0], begin)
    assert (after.done, after.problems) == (before.done, before.problems)


def test_a_part_that_broke_off_counts_for_nothing(archive, spec, make_job):
    job = make_job()
    table, plan = planned(archive, spec, job)
    Transcriber(job).do(plan.tasks[0], begin)
    store = Store(job.out)
    [path] = store.names(f"transcripts/job={job.fingerprint()[:16]}")
    whole = store.read(path)
    store.write(path, whole[: len(whole) // 2])
    store.write(f"{path}.123.part", whole)
    assert table.held() == set()
    assert not store.exists(path)


def test_contents_in_two_parts_are_made_one_row(archive, spec, make_job):
    job = make_job()
    table, plan = planned(archive, spec, job)
    worker = Transcriber(job)
    worker.do(plan.tasks[0], begin)
    worker.do(plan.tasks[0][:2], begin)  # as a worker would that outlived its driver
    worker.do((plan.tasks[0][1],), begin)
    held = table.held()
    names = Store(job.out).names(f"transcripts/job={job.fingerprint()[:16]}")
    rows = [row for name in names for row in table._read(name)]
    assert sorted(row["sha256"] for row in rows) == sorted(held)
    assert len(held) == 5


def test_other_options_are_another_job(archive, spec, make_job):
    job = make_job()
    table, plan = planned(archive, spec, job)
    Transcriber(job).do(plan.tasks[0], begin)
    assert len(table.held()) == 5
    assert planned(archive, spec, make_job(posteriors=True))[1].held == 0


def test_what_says_nothing_of_the_content_is_no_row(archive, spec, make_job, monkeypatch):
    job = make_job()
    table, plan = planned(archive, spec, job)
    (archive / "1.flac").unlink()
    (archive / "2.flac").write_bytes(b"other")

    def fail(self, path, *_, **__):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(LocalModel, "recognize", fail)
    report = Transcriber(job).do(plan.tasks[0], begin)
    kinds = {source.rpartition("/")[2]: kind for source, kind, _ in report.unread}
    assert kinds["1.flac"] == "file"
    assert kinds["2.flac"] == "source-changed"
    assert kinds["0.flac"] == "unexpected"
    assert table.held() == set()


def test_a_recording_with_which_workers_are_lost_is_given_up(archive, spec, make_job):
    job = make_job()
    table, plan = planned(archive, spec, job)
    lost = plan.tasks[0][0].key
    report = Transcriber(job).do(plan.tasks[0], lambda key: ATTEMPTS + 1 if key == lost else 1)
    assert [kind for _, kind, _ in report.unread] == ["worker-lost"]
    assert lost not in table.held()
    assert len(table.held()) == 4


def test_a_store_that_refuses_rows(archive, spec, make_job, monkeypatch):
    job = make_job()
    table, plan = planned(archive, spec, job)

    def refuse(*_):
        raise PermissionError("no more room")

    monkeypatch.setattr(Table, "write", refuse)
    report = Transcriber(job).do(plan.tasks[0], begin)
    assert (report.done, report.problems) == (0, {})
    assert {(kind, problem) for _, kind, problem in report.unread} == {("file", "no more room")}
    assert len(report.unread) == 5
    assert table.held() == set()


@pytest.fixture
def short_parts(monkeypatch):
    cuts = WindowOptions(shortest_s=6.0, longest_s=9.0, overlap_s=1.0)
    monkeypatch.setattr(pieces, "CUTS", cuts)
    monkeypatch.setattr(looking, "LONG_S", cuts.whole_s)


def test_long_recordings_in_parts(sample, spec, make_job, tmp_path, short_parts):
    speech, rate_hz = soundfile.read(sample, dtype="float32")
    pause = np.zeros(2 * rate_hz, np.float32)
    long = np.tile(np.append(speech, pause), 6)
    (tmp_path / "long").mkdir()
    soundfile.write(tmp_path / "long/talk.wav", long, rate_hz)
    job = make_job(posteriors=True, also=("json",))
    table, plan = planned(tmp_path / "long", spec, job)
    assert len(plan.tasks) == len(plan.long[0]) > 2
    worker = Transcriber(job)
    for task in plan.tasks[1:]:
        assert worker.do(task, begin).done == 0
    assert [len(task) for task in planned(tmp_path / "long", spec, job)[1].tasks] == [1]
    worker.do(plan.tasks[0], begin)
    report = join(job, plan.long[0])
    assert report.done == 1
    [row] = table.rows(name_of(plan.long[0]))
    whole = LocalModel(job.model, None).transcribe(tmp_path / "long/talk.wav", job.decoding, None)
    assert row["duration_s"] == pytest.approx(long.size / rate_hz, abs=0.05)
    assert row["text"].count(HEARD) == whole.text.count(HEARD) == 6
    starts = [word["start_s"] for word in row["words"]]
    np.testing.assert_allclose(starts, [word.start_s for word in whole.words], atol=0.1)
    assert len(posteriors_of(row)) == pytest.approx(row["duration_s"] / row["frame_s"], abs=8)
    assert row["written"].lower().replace(".", "") == row["text"]
    assert PieceFiles(Store(job.out), job.fingerprint()).keys() == set()
    assert transcriber.name_of(plan.long[0]) == name_of(plan.long[0])
