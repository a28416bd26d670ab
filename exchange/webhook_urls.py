"""Routes of the page of webhooks."""

from django.urls import URLPattern, path

from exchange.views import webhooks

app_name = "webhooks"
urlpatterns: list[URLPattern] = [
    path("", webhooks.webhook_list, name="list"),
    path("<uuid:pk>/secret/<int:generation>/", webhooks.renew, name="renew"),
    path("<uuid:pk>/stop/", webhooks.stop, name="stop"),
    path("<uuid:pk>/start/", webhooks.start, name="start"),
    path("deliveries/<uuid:pk>/replay/", webhooks.replay, name="replay"),
]
