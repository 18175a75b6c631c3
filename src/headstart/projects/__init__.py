"""Room: projects on disk. Examples, labels with their provenance, splits, models and jobs, in a folder of plain files.

Nothing is computed here: `headstart.flow.projects` reads data into a project and adapts on it.
"""

from headstart.projects.project import Project, is_project
from headstart.projects.records import (
    ALL_EXAMPLES,
    ANSWERS,
    ENDED_STATES,
    JOB_STATES,
    MODEL_STATES,
    OPEN_STATES,
    ORIGINS,
    PURPOSES,
    STATES,
    Example,
    ExampleFilter,
    ImportedLabels,
    Job,
    Kind,
    LabelConflict,
    LabelCounts,
    LabelEvent,
    NewExample,
    NewLabel,
    ProjectModel,
    Source,
)
from headstart.projects.settings import SETTINGS, ProjectSettings
from headstart.projects.sources import read_project_inputs, read_rows, read_unlabelled_rows
from headstart.projects.tables import ProjectTable, TableRequest

__all__ = [
    "ALL_EXAMPLES",
    "ANSWERS",
    "ENDED_STATES",
    "JOB_STATES",
    "MODEL_STATES",
    "OPEN_STATES",
    "ORIGINS",
    "PURPOSES",
    "SETTINGS",
    "STATES",
    "Example",
    "ExampleFilter",
    "ImportedLabels",
    "Job",
    "Kind",
    "LabelConflict",
    "LabelCounts",
    "LabelEvent",
    "NewExample",
    "NewLabel",
    "Project",
    "ProjectModel",
    "ProjectSettings",
    "ProjectTable",
    "Source",
    "TableRequest",
    "is_project",
    "read_project_inputs",
    "read_rows",
    "read_unlabelled_rows",
]
