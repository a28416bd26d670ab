"""Routes of the quality boards."""

from django.urls import path

from quality.views import drift, turn_around, workload

app_name = "quality"

urlpatterns = [
    path("drift/", drift.page, name="drift"),
    path("drift/baseline/", drift.baseline, name="baseline"),
    path("drift/<slug:name>.svg", drift.figure, name="drift_figure"),
    path("drift/tables/<str:kind>", drift.export, name="drift_export"),
    path("turn-around/", turn_around.page, name="turn_around"),
    path("turn-around/figure.svg", turn_around.figure, name="turn_around_figure"),
    path("turn-around/tables/<str:kind>", turn_around.export, name="turn_around_export"),
    path("workload/", workload.page, name="workload"),
    path("workload/figure.svg", workload.figure, name="workload_figure"),
    path("workload/tables/<str:kind>", workload.export, name="workload_export"),
]
