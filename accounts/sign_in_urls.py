"""Routes of signing in: the pages of allauth that a closed laboratory needs, and some of ours."""

from allauth.account import views
from django.urls import include, path, re_path

from accounts.views import own_sessions, single_sign_on

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("sessions/", own_sessions.session_list, name="own_sessions"),
    path("sessions/others/end/", own_sessions.others_end, name="own_sessions_end"),
    path("sessions/<slug:handle>/end/", own_sessions.session_end, name="own_session_end"),
    path("single-sign-on/", single_sign_on.connect, name="sso_connect"),
    path("single-sign-on/start/", single_sign_on.start, name="sso_start"),
    path("single-sign-on/back/", single_sign_on.callback, name="sso_callback"),
    path("single-sign-on/join/", single_sign_on.join, name="sso_join"),
    path("single-sign-on/confirm/", single_sign_on.confirm, name="sso_confirm"),
    path("single-sign-on/signed-out/", single_sign_on.signed_out, name="sso_signed_out"),
    path("2fa/", include("accounts.second_factor_urls")),
]
