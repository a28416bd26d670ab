"""Routes of the accounts app."""

from django.urls import path

from accounts.views import (
    access_reviews,
    anchors,
    audit,
    history,
    log_off,
    permissions,
    sessions,
    sign_in_policy,
    users,
)

app_name = "accounts"
urlpatterns = [
    path("users/", users.user_list, name="users"),
    path("users/invite/", users.user_invite, name="user_invite"),
    path("users/<int:pk>/", users.user_detail, name="user_detail"),
    path("users/<int:pk>/duties/", permissions.user_duties, name="user_duties"),
    path(
        "users/<int:pk>/duties/<int:exception_pk>/end/",
        permissions.end_exception,
        name="duty_exception_end",
    ),
    path(
        "users/<int:pk>/sessions/<slug:handle>/end/", log_off.end_session, name="user_session_end"
    ),
    path("permissions/", permissions.matrix, name="permissions"),
    path("access-reviews/", access_reviews.review_list, name="access_reviews"),
    path("access-reviews/<uuid:pk>/", access_reviews.review_detail, name="access_review"),
    path(
        "access-reviews/<uuid:pk>/finish/",
        access_reviews.review_finish,
        name="access_review_finish",
    ),
    path(
        "access-reviews/<uuid:pk>/review.csv",
        access_reviews.review_export,
        name="access_review_export",
    ),
    path("log-off/", log_off.log_off_everybody, name="log_off_everybody"),
    path("users/<int:pk>/<slug:action>/", users.user_action, name="user_action"),
    path("sign-in/", sign_in_policy.sign_in_policy, name="sign_in_policy"),
    path("sign-in/new-passwords/", sign_in_policy.new_passwords, name="new_passwords"),
    path("audit/", audit.audit_list, name="audit"),
    path("audit/export/", audit.audit_export, name="audit_export"),
    path("audit/verify/", audit.audit_verify, name="audit_verify"),
    path("audit/anchors/", anchors.anchor_list, name="anchors"),
    path("audit/whole/", anchors.export_whole, name="audit_whole"),
    path("history/", history.unexplained, name="history"),
    path("history/<str:label>/<str:row_id>/", history.record, name="record_history"),
    path("join/<str:token>/", sessions.join, name="join"),
    path("emergency/", sessions.emergency_reason, name="emergency_reason"),
    path("keep-alive/", sessions.keep_alive, name="keep_alive"),
]
