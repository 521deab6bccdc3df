"""Folders that go with the command that made them."""

from azeotrope.data.scratch import scratch_below


def test_what_a_killed_command_left_goes_with_the_next(tmp_path):
    (tmp_path / "listing-0123").mkdir()
    (tmp_path / "listing-0123" / "00000.rows").write_bytes(b"left")
    (tmp_path / "listing-0123.lock").touch()
    with scratch_below(tmp_path, "listing") as mine, scratch_below(tmp_path, "listing") as other:
        assert mine.is_dir()  # the other has not swept it
        assert other.is_dir()
        assert not (tmp_path / "listing-0123").exists()
    assert not list(tmp_path.iterdir())
