"""Routes of notices."""

from django.urls import URLPattern, path

from notifications.views import choices, notices

app_name = "notifications"
urlpatterns: list[URLPattern] = [
    path("notices/", notices.index, name="notices"),
    path("notices/read/", notices.read_all, name="read_all"),
    path("notices/<uuid:pk>/", notices.open_notice, name="open"),
    path("notices/choices/", choices.own, name="choices"),
    path("notices/choices/forget/", choices.forget, name="forget"),
    path("administration/notices/", choices.roles, name="roles"),
]
