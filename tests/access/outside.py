"""What people may open to whom patients' records are closed, and nothing else.

A second look at the table: a line that lets one of them in needs a line here as well.
"""

from collections.abc import Mapping

OUTSIDE: Mapping[str, frozenset[str]] = {
    "stranger": frozenset(
        {
            "account_login",
            "account_reset_password",
            "account_reset_password_done",
            "account_reset_password_from_key",
            "account_reset_password_from_key_done",
            "accounts:join",
            "fhir:metadata",
            "health_live",
            "health_ready",
            "verification:ask",
            "verification:report",
        }
    ),
    # Beyond what a stranger opens: their own account, and what is everybody's.
    "learner": frozenset(
        {
            "account_logout",
            "account_reauthenticate",
            "account_change_password",
            "mfa_index",
            "mfa_authenticate",
            "mfa_reauthenticate",
            "mfa_activate_totp",
            "mfa_generate_recovery_codes",
            "mfa_add_webauthn",
            "mfa_login_webauthn",
            "mfa_reauthenticate_webauthn",
            "mfa_edit_webauthn",
            "mfa_remove_webauthn",
            "own_sessions",
            "own_session_end",
            "own_sessions_end",
            "accounts:emergency_reason",
            "accounts:keep_alive",
            "notifications:notices",
            "notifications:read_all",
            "notifications:choices",
            "notifications:forget",
            "consultation:waiting",
            "classifier:worklist",
            "classifier:reference_cells",
            "classifier:reference_picture",
            "classifier:reference_thumbnail",
            "classifier:reference_of_class",
        }
    ),
    # Beyond what a learner opens: what is referred to them, while it is.
    "consultant": frozenset(
        {
            "consultation:consultations",
            "consultation:consultation",
            "consultation:draft",
            "consultation:answer",
            "consultation:cell",
            "consultation:cell_thumbnail",
            # Their own programs, whose tokens open what is referred to them and nothing else.
            "api:docs",
            "api:schema",
            "api:tokens",
            "api:token_new",
            "api:v1:token",
            "api:v1:consultations",
            "api:v1:consultation",
            "api:v1:referred_cell",
            "api:v1:referred_field",
            "api:v1:draft",
            "api:v1:opinions",
        }
    ),
}
