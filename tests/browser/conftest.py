"""A report of planted artefacts, rendered once."""

import planted_report
import pytest

from stim2bold.report.site import write_site


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """The report's folder, of a name that an address must escape."""
    root = tmp_path_factory.mktemp("report") / "it's a $(report) & 100%"
    root.mkdir()
    source = planted_report.plant(root / "results")
    site = root / "report"
    site.mkdir()
    write_site(source, site)
    return site
