"""Routes of second opinions and discussion."""

from django.urls import URLPattern, path

from consultation.views import consultations, discussion, mentions, pictures, referrals

app_name = "consultation"
urlpatterns: list[URLPattern] = [
    path("consultations/", consultations.index, name="consultations"),
    path("consultations/<uuid:pk>/", consultations.show, name="consultation"),
    path("consultations/<uuid:pk>/draft/", consultations.draft, name="draft"),
    path("consultations/<uuid:pk>/opinion/", consultations.answer, name="answer"),
    path("consultations/<uuid:pk>/cells/<uuid:cell_pk>/", pictures.cell, name="cell"),
    path(
        "consultations/<uuid:pk>/cells/<uuid:cell_pk>/thumbnail/",
        pictures.cell_thumbnail,
        name="cell_thumbnail",
    ),
    path("consultations/<uuid:pk>/fields/<uuid:image_pk>/", pictures.field, name="field"),
    path("cases/<uuid:pk>/discussion/", discussion.show, name="discussion"),
    path("cases/<uuid:pk>/discussion/talk/", discussion.talk, name="talk"),
    path("cases/<uuid:pk>/comments/", discussion.add, name="comment"),
    path("comments/<uuid:pk>/retract/", discussion.take_back, name="retract"),
    path("cases/<uuid:pk>/refer/", referrals.refer, name="refer"),
    path("referrals/<uuid:pk>/term/", referrals.term, name="term"),
    path("referrals/<uuid:pk>/withdraw/", referrals.withdraw, name="withdraw"),
    path("referrals/<uuid:pk>/print/", referrals.print_in_report, name="print"),
    path("referrals/<uuid:pk>/read/", mentions.open_answer, name="open_answer"),
    path("opinions/<uuid:pk>/quote/", referrals.quote, name="quote"),
    path("mentions/", mentions.index, name="mentions"),
    path("waiting/", mentions.waiting, name="waiting"),
    path("mentions/read/", mentions.read_all, name="mentions_read"),
    path("mentions/<int:pk>/open/", mentions.open_mention, name="open_mention"),
]
