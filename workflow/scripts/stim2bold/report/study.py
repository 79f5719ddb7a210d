"""What the report says of the study itself: what was run, on whom, and who is missing."""

from typing import Any

from stim2bold.study.read_lines import as_lines, others

#: Where the analysis of simulated participants is compared with what was planted in them.
PLANTED_PAGE = "planted.html"


def opening(
    *, inputs: dict, film: dict, folds: dict, n_directions: int, n_models: int
) -> dict[str, Any]:
    """Return what the page says first.

    Parameters
    ----------
    inputs, film, folds : dict
        Contents of inputs.json, film.json and folds.json.
    n_directions, n_models : int
        How many were scored.

    Returns
    -------
    dict
        ``sentence``, ``warnings`` (see `gathered`), ``notes``, ``read`` and ``read_beside`` (runs
        and other files, as text), ``missing``, ``n_folds`` and ``gap``.
    """
    n, n_runs = len(inputs["participants"]), len(inputs["runs"])
    return {
        "sentence": (
            f"{n_models} models in {n_directions} direction{'s' * (n_directions != 1)} were fitted "
            f"to {n} participant{'s' * (n != 1)} ({n_runs} run{'s' * (n_runs != 1)} at a TR of "
            f"{inputs['TR']:g} s) and a film of {film['duration']:.1f} s, and scored on film time "
            f"that no fit has seen ({len(folds['folds'])} folds)."
        ),
        "warnings": gathered([one for one in inputs["problems"] if not is_note(one)]),
        "notes": [one["words"] for one in gathered(list(filter(is_note, inputs["problems"])))],
        "read": as_lines(inputs.get("read", [])),
        "read_beside": others(inputs.get("read", [])),
        "missing": missing(inputs["missing"]),
        "n_folds": len(folds["folds"]),
        "gap": folds["gap"],
    }


def gathered(problems: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Gather what is alike in several files.

    Parameters
    ----------
    problems : list of dict
        ``file``, ``what`` and ``fix``.

    Returns
    -------
    list of dict
        ``words``, and ``files``: their names where there are several.
    """
    files: dict[str, list[str]] = {}
    for problem in problems:
        files.setdefault(f"{problem['what']}; {problem['fix']}", []).append(problem["file"])
    return [
        {"words": f"{own[0]}: {words}", "files": []}
        if len(own) == 1
        else {"words": f"{len(own)} files: {words}", "files": own}
        for words, own in files.items()
    ]


def is_note(problem: dict[str, Any]) -> bool:
    """Tell what is left out as it should be from what is wrong."""
    return problem.get("severity") == "note"


def missing(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Group the participants who are not in the study by the reason why.

    Parameters
    ----------
    rows : list of dict
        ``participant`` and ``reason``.

    Returns
    -------
    list of dict
        ``reason`` and ``participants``, in the order of the reasons' first mention.
    """
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row["reason"], []).append(row["participant"])
    return [{"reason": reason, "participants": names} for reason, names in groups.items()]


def banners(
    *,
    simulation: dict[str, Any] | None,
    weights: str | None,
    recovered: dict[str, Any] | None = None,
) -> list[dict[str, str]]:
    """Return what must be said before any figure.

    Parameters
    ----------
    simulation : dict or None
        Section ``simulation`` of the configuration, where the data set is simulated.
    weights : str or None
        What the video network's weights are in place of the published ones.
    recovered : dict or None
        ``words`` and ``verdict`` of the map that is compared with what was planted.

    Returns
    -------
    list of dict
        ``title``, ``text``, and ``page`` (from the report's root) and ``link`` where more is told.
    """
    found = []
    if simulation is not None:
        images = simulation["images"]
        planted = (
            "nothing was planted in it"
            if images["no_signal"]
            else f"made from the film at a planted ceiling of r = {images['ceiling']} (the "
            "standard difficulty, at which figures of this project are compared, is 0.30)"
        )
        more = {}
        if recovered is not None:
            what = f"{recovered['words']}: {recovered['verdict']}."
            more = {"page": PLANTED_PAGE, "link": f"Planted and found. {what}"}
        found.append(
            {
                **more,
                "title": "Simulated data.",
                "text": "These participants do not exist: their BOLD comes from the built-in "
                f"simulation, {planted}. The scores show that the workflow works, not how brains "
                "do.",
            }
        )
    if weights is not None:
        found.append({"title": "Substitute weights.", "text": weights})
    return found


def leakage_sentence(leakage: dict) -> str:
    """Say what the leakage check looked at; a DAG that found leakage never gets here."""
    n = len(leakage["predictions"])
    return (
        f"Leakage check passed: the rows that each of {n} prediction files was fitted on were "
        "compared with folds.json; none was held out."
    )
