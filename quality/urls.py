"""Routes of the quality boards."""

from django.urls import path

from quality.views import control_runs, control_stops, controls, drift, turn_around, workload

app_name = "quality"

urlpatterns = [
    path("drift/", drift.page, name="drift"),
    path("drift/baseline/", drift.baseline, name="baseline"),
    path("drift/<slug:name>.svg", drift.figure, name="drift_figure"),
    path("drift/tables/<str:kind>", drift.export, name="drift_export"),
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
