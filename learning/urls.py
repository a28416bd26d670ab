"""Routes of the registry of models."""

from django.urls import path

from learning.views import promotions, registry, sets, training, trials

app_name = "learning"

urlpatterns = [
    path("", registry.index, name="models"),
    path("upload/", registry.upload, name="upload"),
    path("rule/", trials.rule, name="rule"),
    path("rule/<int:pk>/<slug:decision>/", trials.rule_decide, name="rule_decide"),
    path("sets/", sets.index, name="sets"),
    path("sets/new/", sets.new, name="set_new"),
    path("sets/upload/", sets.upload, name="set_upload"),
    path("sets/<uuid:pk>/", sets.show, name="set"),
    path("sets/<uuid:pk>/nominate/", sets.nominate, name="set_nominate"),
    path("sets/<uuid:pk>/freeze/", sets.freeze, name="set_freeze"),
    path("sets/<uuid:pk>/retire/", sets.retire, name="set_retire"),
    path("sets/<uuid:pk>/read/", sets.read, name="set_read"),
    path("sets/nominations/<int:pk>/", sets.nomination_picture, name="nomination_picture"),
    path("sets/pictures/<uuid:pk>/", sets.cell_picture, name="cell_picture"),
    path("training/", training.index, name="training"),
    path("training/basis/", training.basis, name="basis"),
    path("training/basis/<int:pk>/<slug:decision>/", training.basis_decide, name="basis_decide"),
    path("training/objections/", training.objection, name="objection"),
    path("training/objections/<int:pk>/end/", training.objection_end, name="objection_end"),
    path("training/cells/<int:pk>/", training.leave_out, name="training_cell"),
    path("training/cells/<int:pk>/picture/", training.picture, name="training_picture"),
    path("training/<uuid:pk>/", training.show, name="training_set"),
    path("training/<uuid:pk>/freeze/", training.freeze, name="training_freeze"),
    path("training/<uuid:pk>/train/", training.train, name="train"),
    path("training/stop/<uuid:pk>/", training.train_stop, name="train_stop"),
    path("promotions/", promotions.index, name="promotions"),
    path("roll-back/", promotions.roll_back, name="roll_back"),
    path("comparisons/<int:pk>/", trials.comparison, name="comparison"),
    path("comparisons/<int:pk>/override/", trials.override, name="override"),
    path("shadow/<uuid:pk>/", trials.shadow_page, name="shadow"),
    path("shadow/<uuid:pk>/end/", trials.shadow_end, name="shadow_end"),
    path("<int:pk>/", registry.model, name="model"),
    path("<int:pk>/evaluate/", trials.evaluate, name="evaluate"),
    path("<int:pk>/compare/", trials.compare, name="compare"),
    path("<int:pk>/shadow/", trials.shadow_start, name="shadow_start"),
    path("<int:pk>/promote/", promotions.promote, name="promote"),
]
