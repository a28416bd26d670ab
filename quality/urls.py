"""Routes of the quality boards."""

from django.urls import path

from quality.api import NameCell
from quality.views import (
    agreement,
    control_runs,
    control_stops,
    controls,
    drift,
    known_cells,
    reader_checks,
    turn_around,
    workload,
)

app_name = "quality"

urlpatterns = [
    path("drift/", drift.page, name="drift"),
    path("drift/baseline/", drift.baseline, name="baseline"),
    path("drift/<slug:name>.svg", drift.figure, name="drift_figure"),
    path("drift/tables/<str:kind>", drift.export, name="drift_export"),
    path("agreement/", agreement.page, name="agreement"),
    path("agreement/<slug:name>.svg", agreement.figure, name="agreement_figure"),
    path("agreement/tables/<str:kind>", agreement.export, name="agreement_export"),
    path("checks/", reader_checks.board, name="checks"),
    path("checks/figure.svg", reader_checks.figure, name="checks_figure"),
    path("checks/tables/<str:kind>", reader_checks.export, name="checks_export"),
    path("checks/rules/", known_cells.rules, name="check_rules"),
    path("checks/readers/<int:pk>/deal/", known_cells.deal, name="check_deal"),
    path("checks/<uuid:pk>/", reader_checks.check, name="check"),
    path("checks/<uuid:pk>/name/", reader_checks.name, name="check_name"),
    path("checks/<uuid:pk>/names/", NameCell.as_view(), name="check_names"),
    path("checks/<uuid:pk>/complete/", reader_checks.complete, name="check_complete"),
    path("checks/<uuid:pk>/withdraw/", known_cells.withdraw, name="check_withdraw"),
    path("checks/<uuid:pk>/cells/<int:position>/", reader_checks.picture, name="check_picture"),
    path("known-cells/", known_cells.page, name="known_cells"),
    path("known-cells/take/", known_cells.take, name="known_cells_take"),
    path("known-cells/<uuid:pk>/retire/", known_cells.retire, name="known_cell_retire"),
    path("known-cells/<uuid:pk>/picture/", known_cells.picture, name="known_cell_picture"),
    path("controls/", controls.page, name="controls"),
    path("controls/new/", controls.new, name="control_new"),
    path("controls/rules/", controls.rules, name="control_rules"),
    path("controls/<int:pk>/", control_runs.page, name="control"),
    path("controls/<int:pk>/figure.svg", control_runs.figure, name="control_figure"),
    path("controls/<int:pk>/tables/<str:kind>", control_runs.export, name="control_export"),
    path("controls/<int:pk>/run/", control_runs.run, name="control_run"),
    path("controls/<int:pk>/target/", controls.target, name="control_target"),
    path("controls/<int:pk>/retire/", controls.retire, name="control_retire"),
    path("controls/targets/<int:pk>/<slug:step>/", controls.settle, name="control_target_settle"),
    path("controls/stops/<int:pk>/", control_stops.page, name="control_stop"),
    path("turn-around/", turn_around.page, name="turn_around"),
    path("turn-around/figure.svg", turn_around.figure, name="turn_around_figure"),
    path("turn-around/tables/<str:kind>", turn_around.export, name="turn_around_export"),
    path("workload/", workload.page, name="workload"),
    path("workload/figure.svg", workload.figure, name="workload_figure"),
    path("workload/tables/<str:kind>", workload.export, name="workload_export"),
]
