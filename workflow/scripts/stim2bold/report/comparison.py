"""Two runs compared: what differs in settings, versions and people, and in scores and maps."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from stim2bold.evaluation.headlines import HEADLINES, role
from stim2bold.evaluation.maps import grid
from stim2bold.io.files import read_json, read_table
from stim2bold.models.catalogue import BOLD, split_name
from stim2bold.report.scores import model_label, number
from stim2bold.report.source import Results
from stim2bold.runtime.errors import InputError

SECTIONS = [("what", "What differs"), ("scores", "Scores"), ("maps", "Maps")]
#: Settings that say where something lies or how it is run, and change no result.
NO_MATTER = ("device", "ds003688", "failed")


@dataclass(frozen=True)
class Run:
    """The results of a run.

    Parameters
    ----------
    results : Results
    methods : dict
        methods.json: ``study``, ``configuration`` and ``versions`` among others.
    inputs : dict
        inputs.json.
    """

    results: Results
    methods: dict[str, Any]
    inputs: dict[str, Any]

    @property
    def participants(self) -> list[str]:
        """Labels of those who were analysed."""
        return list(self.inputs["participants"])


def read_run(folder: str | Path) -> Run:
    """Read what a comparison needs to know of a run.

    Parameters
    ----------
    folder : str or Path
        ``results`` of a run that has ended.

    Raises
    ------
    InputError
        When it is no such folder.
    """
    results = Results(Path(folder))
    for path in (results.methods, results.inputs, results.summary):
        if not path.is_file():
            name = path.relative_to(folder)
            raise InputError(
                folder, f"has no {name}", "name the folder 'results' of a run that has ended"
            )
    methods = read_json(results.methods)
    if "configuration" not in methods:
        raise InputError(
            results.methods,
            "does not hold the run's settings, as versions before 0.2 left it",
            "run snakemake once more there",
        )
    return Run(results, methods, read_json(results.inputs))


def flattened(settings: Any, name: str = "") -> dict[str, Any]:
    """Return nested settings by their full names, such as ``preprocessing.motion.coarse_fwhm``."""
    if not isinstance(settings, Mapping) or not settings:
        return {name: settings}
    found = {}
    for key, value in settings.items():
        found |= flattened(value, f"{name}.{key}" if name else str(key))
    return found


def differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what two flat mappings do not have alike: ``name``, ``a`` and ``b`` as text."""
    absent = object()
    return [
        {
            "name": name,
            **{
                key: "not there" if value is absent else str(value)
                for key, value in (("a", a.get(name, absent)), ("b", b.get(name, absent)))
            },
        }
        for name in dict.fromkeys([*a, *b])
        if a.get(name, absent) != b.get(name, absent)
    ]


def settings_that_differ(a: Run, b: Run) -> list[dict[str, str]]:
    """Return the settings that differ and can change a result."""
    found = differing(*(flattened(run.methods["configuration"]) for run in (a, b)))
    return [row for row in found if row["name"].split(".")[0] not in NO_MATTER]


def unit_scores(run: Run) -> pd.DataFrame:
    """Return the score that heads each direction: direction, unit, model, measure, value."""
    tables = []
    for direction in sorted(read_table(run.results.summary)["direction"].unique()):
        measure = HEADLINES[split_name(direction)[1]]
        for path in run.results.scored(direction):
            table = read_table(path)
            whole = table["fold"].astype(str) == "all"
            tables.append(table[whole & (table["measure"] == measure)])
    if not tables:
        raise InputError(run.results.summary, "names no scores", "finish the run first")
    columns = ["direction", "unit", "model", "measure", "value"]
    return pd.concat(tables, ignore_index=True)[columns]


def compared_scores(a: Run, b: Run) -> pd.DataFrame:
    """Compare the scores of two runs, paired over the participants of both.

    Returns
    -------
    DataFrame
        direction, model, measure; ``n`` participants (or the film) that both runs scored; ``a`` and
        ``b``, their means; ``difference``, b less a; ``low`` and ``high``, its 95 % interval by
        Student's t over participants, missing for fewer than three; ``higher``, how many are higher
        in b.
    """
    keys = ["direction", "model", "measure"]
    both = unit_scores(a).merge(unit_scores(b), on=[*keys, "unit"], suffixes=("_a", "_b"))
    rows = []
    for names, part in both.groupby(keys, sort=False):
        pairs = part[["value_a", "value_b"]].dropna().to_numpy(dtype=float)
        difference = pairs[:, 1] - pairs[:, 0]
        n = len(pairs)
        if not n:
            continue
        mean = difference.mean()
        half = stats.t.ppf(0.975, n - 1) * difference.std(ddof=1) / np.sqrt(n) if n > 2 else np.nan
        rows.append(
            dict(zip(keys, names, strict=True))
            | {
                "n": n,
                "a": pairs[:, 0].mean(),
                "b": pairs[:, 1].mean(),
                "difference": mean,
                "low": mean - half,
                "high": mean + half,
                "higher": int((difference > 0).sum()),
            }
        )
    columns = [*keys, "n", "a", "b", "difference", "low", "high", "higher"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class MapPair:
    """The maps of r of one participant and model in two runs.

    Parameters
    ----------
    direction, unit, model : str
    a, b : ndarray of shape (n_voxels,)
        At the voxels that both have.
    where : ndarray of shape (3, n_voxels)
        Their indices.
    only_a, only_b : int
        Voxels that one of the runs alone has.
    """

    direction: str
    unit: str
    model: str
    a: np.ndarray
    b: np.ndarray
    where: np.ndarray
    only_a: int
    only_b: int


def voxel_scores(run: Run, direction: str, unit: str) -> pd.DataFrame | None:
    """Return r by voxel index (i, j, k) and model; None where the run has no such maps."""
    path = run.results.voxels(direction, unit)
    if not path.is_file():
        return None
    with xr.open_dataset(path, engine="h5netcdf") as table:
        if not {"i", "j", "k"} <= set(table.coords):
            return None
        where = pd.MultiIndex.from_arrays([table[axis].values for axis in "ijk"])
        r = table["r"].transpose("voxel", "model").values.astype(float)
        return pd.DataFrame(r, index=where, columns=table["model"].values)


def map_pairs(a: Run, b: Run, scores: pd.DataFrame) -> list[MapPair]:
    """Return the maps that two runs share, of every direction to BOLD and participant.

    Of the models, and of ridge; the tables have the other baselines.

    Raises
    ------
    InputError
        When the runs' images lie on different grids.
    """
    shown: dict[str, list[str]] = {}
    for direction, model in scores[["direction", "model"]].itertuples(index=False):
        target = split_name(direction)[1]
        if target == BOLD and (model == "ridge" or role(model, target) == "model"):
            shown.setdefault(direction, []).append(model)
    found: list[MapPair] = []
    for direction, models in shown.items():
        for unit in (f"sub-{label}" for label in a.participants):
            one, other = (voxel_scores(run, direction, unit) for run in (a, b))
            if one is None or other is None:
                continue
            check_grids(a, b, unit)
            common = one.index.intersection(other.index)
            for model in models:
                if model not in one or model not in other:
                    continue
                values = np.stack([each.loc[common, model].to_numpy() for each in (one, other)])
                known = np.isfinite(values).all(axis=0)
                if not known.any():
                    continue
                found.append(
                    MapPair(
                        direction,
                        unit,
                        model,
                        *values[:, known],
                        np.array([*common[known]]).T,
                        len(one) - len(common),
                        len(other) - len(common),
                    )
                )
    return found


def read_bold(run: Run, unit: str) -> xr.DataArray:
    """Return a participant's BOLD table, which knows its grid, without reading its series."""
    return xr.open_dataarray(run.results.bold(unit), engine="h5netcdf")


def check_grids(a: Run, b: Run, unit: str) -> None:
    """Refuse to compare voxels of different grids.

    Raises
    ------
    InputError
        When affine or shape differ.
    """
    with read_bold(a, unit) as one, read_bold(b, unit) as other:
        (affine, shape), (affine_b, shape_b) = grid(one), grid(other)
    if shape != shape_b or not np.allclose(affine, affine_b, atol=1e-4):
        raise InputError(
            b.results.root,
            f"{unit} lies on another grid than in {a.results.root} ({shape_b}, not {shape})",
            "compare runs of one space and resolution",
        )


def map_rows(pairs: list[MapPair]) -> list[dict[str, Any]]:
    """Return what the maps of each direction and model have in common, means over participants."""
    table = pd.DataFrame(
        {
            "direction": pair.direction,
            "model": pair.model,
            "participants": 1,
            "r": np.corrcoef(pair.a, pair.b)[0, 1] if min(pair.a.std(), pair.b.std()) > 0 else None,
            "difference": (pair.b - pair.a).mean(),
            "largest": np.abs(pair.b - pair.a).max(),
            "voxels": len(pair.a),
            "only_a": pair.only_a,
            "only_b": pair.only_b,
        }
        for pair in pairs
    )
    if table.empty:
        return []
    parts = table.astype({"r": float}).groupby(["direction", "model"], sort=False)
    rows = parts.agg(
        participants=("participants", "sum"),
        r=("r", "mean"),
        difference=("difference", "mean"),
        largest=("largest", "max"),
        voxels=("voxels", "sum"),
        only_a=("only_a", "sum"),
        only_b=("only_b", "sum"),
    ).reset_index()
    return [
        {**row, "model": model_label(row["model"]), "r": number(row["r"])}
        for row in rows.to_dict("records")
    ]


def mean_difference(pairs: list[MapPair], bold: xr.DataArray) -> np.ndarray:
    """Return b less a, mean over the participants that have a voxel, as a volume of the grid."""
    _, shape = grid(bold)
    total, count = np.zeros(shape), np.zeros(shape)
    for pair in pairs:
        total[tuple(pair.where)] += pair.b - pair.a
        count[tuple(pair.where)] += 1
    return np.divide(total, count, out=np.zeros(shape), where=count > 0)


def comparison(a: Run, b: Run, scores: pd.DataFrame, pairs: list[MapPair]) -> dict[str, Any]:
    """Return what the page shows."""
    runs = (a, b)
    only = [
        sorted(set(one.participants) - set(other.participants)) for one, other in (runs, runs[::-1])
    ]
    return {
        "folders": [str(run.results.root) for run in runs],
        "studies": [run.methods["study"] for run in runs],
        "settings": settings_that_differ(a, b),
        "versions": differing(*(run.methods["versions"] for run in runs)),
        "both": sorted(set(a.participants) & set(b.participants)),
        "only": only,
        "scores": [
            {**row, "model": model_label(row["model"])}
            | {key: number(row[key]) for key in ("a", "b", "difference", "low", "high")}
            for row in scores.to_dict("records")
        ],
        "maps": map_rows(pairs),
    }
