"""Routes of the exchange's pages."""

from django.urls import path

from exchange.views import incoming, outbox, peers, senders

app_name = "exchange"

urlpatterns = [
    path("incoming/", incoming.index, name="incoming"),
    path("incoming/<uuid:pk>/", incoming.detail, name="incoming_message"),
    path("incoming/<uuid:pk>/reveal/", incoming.reveal, name="incoming_reveal"),
    path("incoming/<uuid:pk>/match/", incoming.match, name="incoming_match"),
    path("incoming/<uuid:pk>/again/", incoming.again, name="incoming_again"),
    path("incoming/<uuid:pk>/merge/", incoming.merge, name="incoming_merge"),
    path("incoming/<uuid:pk>/dismiss/", incoming.dismiss, name="incoming_dismiss"),
    path("senders/", senders.index, name="senders"),
    path("senders/new/", senders.edit, name="sender_new"),
    path("senders/codes/<slug:kind>/", senders.add_code, name="code_add"),
    path("senders/codes/<slug:kind>/<int:pk>/approve/", senders.approve_code, name="code_approve"),
    path("senders/codes/<slug:kind>/<int:pk>/retire/", senders.retire_code, name="code_retire"),
    path("senders/<uuid:pk>/", senders.edit, name="sender"),
    path("receivers/", peers.peer_list, name="peers"),
    path("receivers/new/", peers.peer_new, name="peer_new"),
    path("receivers/<int:pk>/", peers.peer, name="peer"),
    path("receivers/<int:pk>/try/", peers.peer_try, name="peer_try"),
    path("sent/", outbox.message_list, name="messages"),
    path("sent/<uuid:pk>/", outbox.message, name="message"),
    path("sent/<uuid:pk>/show/", outbox.message_show, name="message_show"),
    path("sent/<uuid:pk>/<slug:decision>/", outbox.message_decide, name="message_decide"),
]
