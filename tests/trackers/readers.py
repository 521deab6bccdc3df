"""What each tracker's own reader finds in a folder: (parameters, values by name in order of steps) of a run."""

import json
import struct
import zlib

LOG_BLOCK, LOG_HEADER = 32768, 7


def tensorboard(folder, run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    found = EventAccumulator(str(folder / run.run_id))
    found.Reload()
    content = found.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    started = metadata.parse_session_start_info_plugin_data(content).hparams
    parameters = {name: getattr(value, value.WhichOneof("kind")) for name, value in started.items()}
    values = {name: [each.value for each in found.Scalars(name)] for name in found.Tags()["scalars"]}
    return parameters, values


def mlflow(folder, run):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("azeotrope").experiment_id
    (found,) = client.search_runs([experiment], f"tags.`azeotrope.run_id` = '{run.run_id}'")
    history = {name: client.get_metric_history(found.info.run_id, name) for name in found.data.metrics}
    return found.data.params, {name: [each.value for each in sorted(h, key=_step)] for name, h in history.items()}


def _step(metric):
    return metric.step


def wandb(folder, run):
    """By wandb's own messages; its reader of the log around them is in Go, in its program."""
    (file,) = folder.glob(f"wandb/offline-run-*-{run.run_id}/run-{run.run_id}.wandb")
    parameters, values = {}, {}
    for record in wandb_records(file):
        assert record.run.host == ""
        for each in record.run.config.update:
            parameters[each.key] = json.loads(each.value_json)
        for kind, items in (("history", record.history.item), ("summary", record.summary.update)):
            for each in items:
                name = each.key or "/".join(each.nested_key)
                if kind == "history" or name in run.results:
                    values.setdefault(name, []).append(json.loads(each.value_json))
    return parameters, values


def wandb_records(file):
    """LevelDB's log after a header of 7 bytes: in blocks of 32 KiB, parts with checksum, length and kind."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, at, parts = file.read_bytes(), 7, b""
    assert content[:4] == b":W&B"
    while at < len(content):
        if (left := LOG_BLOCK - at % LOG_BLOCK) < LOG_HEADER:
            at += left
            continue
        checksum, length, kind = struct.unpack_from("<IHB", content, at)
        data = content[at + LOG_HEADER : at + LOG_HEADER + length]
        assert zlib.crc32(bytes([kind]) + data) == checksum
        at, parts = at + LOG_HEADER + length, parts + data
        if kind in (1, 4):  # whole, or the last part
            record = Record()
            record.ParseFromString(parts)
            parts = b""
            yield record


def trackio(folder, run):
    import trackio

    (found,) = [each for each in trackio.Api().runs("azeotrope") if each.id == run.run_id]
    storage, values = trackio.sqlite_storage.SQLiteStorage, {}
    for row in sorted(storage.get_logs("azeotrope", run_id=found.id), key=lambda row: row["step"]):
        for name, value in row.items():
            values.setdefault(name, []).append(value)
    return found.config, values
