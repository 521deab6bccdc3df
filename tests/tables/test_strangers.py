"""Tables as strangers write them: each is understood, or answered with their own column names."""

from __future__ import annotations

import polars as pl
import pytest

from azeotrope.errors import InputError
from azeotrope.tables.columns import Columns
from azeotrope.tables.frame import read_runs
from azeotrope.tables.reading import parse
from azeotrope.tables.recognise import plain, recognised

ROWS = [(arm, size, seed) for arm in ("distill", "scratch") for size in (500, 1000, 2000) for seed in (0, 1)]
ERRORS = [0.2125 - 0.01 * place for place in range(len(ROWS))]
FULL = list(zip(ROWS, ERRORS, strict=True))


def lines(header: str, row: str) -> str:
    """A table, each row written by `row` of arm, size, seed, error (a share), and error and accuracy in per cent."""
    body = (
        row.format(arm=arm, n=n, seed=seed, e=e, pc=100 * e, acc=1 - e, accpc=100 * (1 - e))
        for (arm, n, seed), e in FULL
    )
    return "\n".join([header, *body])


def german(text: str) -> str:
    return text.replace(".", ",")


def thousands(size: int) -> str:
    return f"{size:,}".replace(",", ".")


TABLES = {
    "spreadsheet, upper case": lines("Method,N Train,Seed,Test Error", "{arm},{n},{seed},{e:.4f}"),
    "semicolons, decimal comma": german(lines("Verfahren;Bilder;Lauf;Fehler", "{arm};{n};{seed};{e:.4f}")),
    "german thousands": "Methode;Bilder;Seed;Fehler in %\n"
    + "\n".join(f"{arm};{thousands(n)};{seed};{german(f'{100 * e:.2f}')}" for (arm, n, seed), e in FULL),
    "tabs, per cent signs": lines("model\timages\tseed\terror", "{arm}\t{n}\t{seed}\t{pc:.2f} %"),
    "accuracy in per cent": lines("approach,n,seed,Top-1 Acc. (%)", "{arm},{n},{seed},{accpc:.2f}"),
    "accuracy as a share": lines("model,samples,seed,accuracy", "{arm},{n},{seed},{acc:.4f}"),
    "wandb export": lines(
        '"Name","State","config.method","config.n_train","config.seed","test/accuracy"',
        '"run-{arm}-{n}-{seed}","finished","{arm}","{n}","{seed}","{acc:.4f}"',
    ),
    "paper, mean and spread": lines(
        "Method & n".replace(" & ", "\t") + "\ttrial\tError (%)", "{arm}\t{n}\t{seed}\t{pc:.2f} ± 0.4"
    ),
    "quoted thousands": "arm,train_images,seed,error\n"
    + "\n".join(f'{arm},"{n:,}",{seed},{e:.4f}' for (arm, n, seed), e in FULL),
    "sizes in k": "arm,size,seed,err\n"
    + "\n".join(f"{arm},{n / 1000:g}k,s{seed},{e:.4f}" for (arm, n, seed), e in FULL),
    "excel's sep line": "sep=;\n" + lines("arm;train_images;seed;test_error", "{arm};{n};{seed};{e:.4f}"),
    "comments and a blank line": "# made by eval.py\n\n"
    + lines("arm,train_images,seed,test_error", "{arm},{n},{seed},{e:.4f}\n"),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_a_strangers_table_gives_the_same_runs(name, encoding, tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(TABLES[name].encode(encoding))
    frame = read_runs(path)
    assert frame.groups == ("distill", "scratch")
    assert frame.paired
    found = frame.table.sort("group", "train_images", "seed")
    assert found["train_images"].to_list() == [n for _, n, _ in ROWS]
    assert found["error"].to_list() == pytest.approx(ERRORS, abs=1e-4)


def test_a_crashed_run_of_a_tracker_is_left_out(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(TABLES["wandb export"].replace("finished", "crashed", 1), encoding="utf-8")
    assert read_runs(path).excluded == {"failed": 1}


def test_flags_may_use_the_persons_own_names(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(lines("Method,N Train,Seed,Quality", "{arm},{n},{seed},{e:.4f}"), encoding="utf-8")
    frame = read_runs(
        path, Columns(x={"images": "n train"}, error="quality", by=("METHOD",), where={"method": "scratch"})
    )
    assert frame.groups == ("scratch",)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            "Method,N Train,Seed,Quality",
            ["No column here says error", "columns Method, N Train, Seed, Quality.", "--error"],
        ),
        ("Method,Budget,Seed,Test Error", ["at least one size", "columns Method, Budget, Seed, Test Error.", "--x"]),
    ],
)
def test_what_is_not_understood_is_answered_in_a_line_that_names_only_their_columns(header, said, tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(lines(header, "{arm},{n},{seed},{e:.4f}"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_runs(path)
    for words in said:
        assert words in str(caught.value)
    assert "train_images, pretrain_images" in str(caught.value) or "arm" not in str(caught.value)


def test_a_spreadsheet_file_is_answered_with_what_to_do(tmp_path):
    path = tmp_path / "runs.xlsx"
    path.write_bytes(b"PK")
    with pytest.raises(InputError, match="export it as CSV"):
        read_runs(path)


@pytest.mark.parametrize("largest", [1.2, 1.9])
def test_shares_of_which_one_is_above_1_are_asked_about(largest):
    table = pl.DataFrame({"arm": "a", "train_images": [1, 2, 3], "test_error": [0.2, 0.3, largest]})
    with pytest.raises(InputError, match="--error-unit percent"):
        read_runs(table)


def test_seeds_may_be_texts_and_stay_paired():
    frame = read_runs(
        pl.DataFrame(
            {
                "arm": ["a", "a", "b", "b"],
                "train_images": 100,
                "seed": ["x", "y", "x", "y"],
                "error": [0.1, 0.2, 0.3, 0.4],
            }
        )
    )
    assert frame.paired
    assert frame.table.sort("group", "seed")["replicate"].to_list() == [0, 1, 0, 1]


def test_a_table_of_log_losses_alone_is_read_as_losses_and_said():
    losses = [1.5, 0.7, 1.2, 0.6]
    frame = read_runs(pl.DataFrame({"arm": ["a", "a", "b", "b"], "n": [100, 200, 100, 200], "log_loss": losses}))
    assert (frame.unit, frame.measure, frame.table["error"].to_list()) == ("loss", "loss", losses)
    assert any("'log_loss' is read as a loss" in note for note in frame.notes)


def test_a_column_that_numbers_the_rows_is_no_seed():
    frame = read_runs(
        pl.DataFrame({"arm": ["a", "a", "b"], "n": [1, 2, 2], "run": [1, 2, 3], "error": [0.1, 0.2, 0.3]})
    )
    assert not frame.paired


@pytest.mark.parametrize(("given", "kept"), [([100, 100, None], [100, 100, 100]), ([100, 200, None], [100, 200, None])])
def test_test_images_missing_in_some_rows_are_what_all_others_have_or_stay_missing(given, kept):
    frame = read_runs(pl.DataFrame({"arm": "a", "n": [1, 2, 3], "error": [0.1, 0.2, 0.3], "n_test": given}))
    assert frame.table["test_images"].to_list() == kept


@pytest.mark.parametrize(
    ("name", "said"),
    [("Test Acc. (%)", "test_acc"), ("config.n_train", "n_train"), ("Fehler in %", "fehler"), ("↓ Error", "error")],
)
def test_names_lose_what_is_decoration(name, said):
    assert plain(name) == said


def test_a_model_beside_a_method_is_the_student():
    found = recognised(pl.DataFrame({"Method": ["kd"], "Model": ["resnet"]}))
    assert (found["arm"][0], found["student"][0]) == ("kd", "resnet")


def test_numbers_that_only_look_like_thousands_stay_decimals():
    assert parse(b"arm,n,error\na,100,0.125\na,200,0.250")["error"].to_list() == [0.125, 0.25]


def test_a_hundred_thousand_rows_are_read_in_seconds(tmp_path):
    import time

    rows = 100_000
    table = pl.DataFrame({"Method": ["a", "b"] * (rows // 2), "N": [100, 100, 200, 200] * (rows // 4)})
    table = table.with_columns(Seed=pl.int_range(rows) // 4, Error=0.1 + pl.int_range(rows) / rows / 2)
    table.write_csv(tmp_path / "many.csv")
    began = time.process_time()
    assert read_runs(tmp_path / "many.csv").table.height == rows
    assert time.process_time() - began < 10
