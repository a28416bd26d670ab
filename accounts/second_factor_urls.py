"""Routes of second factors. Recovery codes are shown once and printed: none are downloaded."""

from allauth.mfa.base import views as base
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from django.urls import path, reverse_lazy

_list = reverse_lazy("mfa_index")

urlpatterns = [
    path("", base.index, name="mfa_index"),
    path("authenticate/", base.authenticate, name="mfa_authenticate"),
    path("reauthenticate/", base.reauthenticate, name="mfa_reauthenticate"),
    path("totp/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("totp/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "recovery-codes/generate/",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path("keys/add/", keys.add_webauthn, name="mfa_add_webauthn"),
    path("keys/sign-in/", keys.login_webauthn, name="mfa_login_webauthn"),
    path("keys/confirm/", keys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path(
        "keys/<int:pk>/name/",
        keys.EditWebAuthnView.as_view(success_url=_list),
        name="mfa_edit_webauthn",
    ),
    path(
        "keys/<int:pk>/remove/",
        keys.RemoveWebAuthnView.as_view(success_url=_list),
        name="mfa_remove_webauthn",
    ),
]
