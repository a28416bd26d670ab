"""Routes of the accounts app."""

from django.urls import path

from accounts.views import audit, sessions, users

app_name = "accounts"
urlpatterns = [
    path("users/", users.user_list, name="users"),
    path("users/invite/", users.user_invite, name="user_invite"),
    path("users/<int:pk>/", users.user_detail, name="user_detail"),
    path("users/<int:pk>/<slug:action>/", users.user_action, name="user_action"),
    path("audit/", audit.audit_list, name="audit"),
    path("audit/export/", audit.audit_export, name="audit_export"),
    path("audit/verify/", audit.audit_verify, name="audit_verify"),
    path("join/<str:token>/", sessions.join, name="join"),
    path("keep-alive/", sessions.keep_alive, name="keep_alive"),
]
