"""Arguments and options that several commands have, each in one form."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import completing

STORE = Path("runs") / "store"

ScenarioArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO",
        help="A scenario file, or the name of a shipped one.",
        autocompletion=completing.scenarios,
    ),
]
StrategyOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Only this one of its strategies.", autocompletion=completing.strategies),
]
SeedOption = Annotated[int | None, typer.Option(metavar="N", min=0, help="Other luck than the scenario's.")]
RunArgument = Annotated[
    Path, typer.Argument(metavar="RUN", help="The folder of a run.", autocompletion=completing.runs)
]
MerchantOption = Annotated[str | None, typer.Option(metavar="NAME", help="Only what concerns this merchant.")]
FolderOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Where to write; by default under runs/.")
]
ReportOption = Annotated[
    bool, typer.Option("--report", help="Write report.html there too: a page to read, print and forward.")
]
JsonOption = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write what was found as JSON; - puts it on the screen, alone."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print no text and no progress.")]
StudyArgument = Annotated[
    Path,
    typer.Argument(
        metavar="STUDY",
        help="A study file, or the folder that holds study.yaml.",
        autocompletion=completing.studies,
    ),
]
StudyFolder = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="The folder that `wxsim sweep` wrote.", autocompletion=completing.study_folders),
]
UntilOption = Annotated[
    str | None,
    typer.Option(
        metavar="GOAL",
        help='Add seeds until "decided", "margin decided" or "margin ± 2%".',
        autocompletion=completing.goals,
    ),
]
StoreOption = Annotated[Path, typer.Option("--store", metavar="DIR", help="Where runs are kept, for all studies.")]
DaskOption = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="On a Dask cluster; `local` starts one on this machine.")
]
MpiOption = Annotated[bool, typer.Option("--mpi", help="On the ranks of an MPI job.")]
WorkersOption = Annotated[int | None, typer.Option(metavar="N", min=1, help="Processes; by default all processors.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
LevelsOption = Annotated[
    bool, typer.Option("--levels", help="Metrics themselves, not what a strategy changes of them.")
]
