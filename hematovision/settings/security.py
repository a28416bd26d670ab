"""Authentication, sessions, cookies, transport and content security."""

from datetime import timedelta

from csp.constants import NONE, SELF

from hematovision.settings import environment as e

SECRET_KEY = e.SECRET_KEY
ALLOWED_HOSTS = e.ALLOWED_HOSTS
CSRF_TRUSTED_ORIGINS = [e.SITE_URL]
TRUSTED_PROXIES = e.TRUSTED_PROXIES
METRICS_TOKEN = e.METRICS_TOKEN

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "accounts.emergency_door.LocalDoor",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "full_name")},
    },
    {"NAME": "accounts.sign_in_policy_passwords.LongEnough"},
    {"NAME": "accounts.sign_in_policy_passwords.NotEndless"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.sign_in_policy_passwords.NotUsedBefore"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60
INVITATION_TIMEOUT = timedelta(days=7)

# Sign-in: by e-mail, to accounts that administrators made; nobody signs up.
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "reauthenticate": "accounts.forms.ReauthenticationForm",
    "change_password": "accounts.forms.PasswordChangeForm",
    "reset_password": "accounts.forms.PasswordResetForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 5 * 60
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if e.IS_HTTPS else "http"
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# A laboratory's people share one address; failed passwords are counted by axes, not here.
ACCOUNT_RATE_LIMITS = {"login": "300/m/ip", "reauthenticate": "20/m/user"}
MFA_ADAPTER = "accounts.adapters.MFAAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.CodeForm",
    "reauthenticate": "accounts.forms.CodeConfirmationForm",
    "activate_totp": "accounts.forms.FactorForm",
    "authenticate_webauthn": "accounts.second_factor_forms.KeyForm",
    "reauthenticate_webauthn": "accounts.second_factor_forms.KeyConfirmationForm",
    "login_webauthn": "accounts.second_factor_forms.PasskeyForm",
    "add_webauthn": "accounts.second_factor_forms.NewKeyForm",
    "edit_webauthn": "accounts.second_factor_forms.KeyNameForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Without HTTPS browsers offer keys on the machine itself alone.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not e.IS_HTTPS
MFA_TOTP_ISSUER = "HematoVision"
MFA_TOTP_TOLERANCE = 1
# Who must have a second factor until the laboratory sets rules of its own: administrators, where
# the site is more than one machine's own.
FIRST_SECOND_FACTOR_ROLES = ["administrator"] if e.IS_HTTPS else []

# Single sign-on: what ties the site to the provider; what the laboratory asks of it is a rule.
OIDC_ISSUER = e.OIDC_ISSUER
OIDC_CLIENT_ID = e.OIDC_CLIENT_ID
OIDC_CLIENT_SECRET = e.OIDC_CLIENT_SECRET
OIDC_NAME = e.OIDC_NAME
OIDC_SCOPES = e.OIDC_SCOPES
OIDC_EMAIL_CLAIM = e.OIDC_EMAIL_CLAIM
OIDC_GROUPS_CLAIM = e.OIDC_GROUPS_CLAIM
OIDC_EMAILS_ARE_VERIFIED = e.OIDC_EMAILS_ARE_VERIFIED

# Lock-out: five failures of one account from one address, for a quarter of an hour.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_HANDLER = "accounts.lockout_counting.Counting"
# In the same time: of one account from wherever, and of all accounts from one address. Neither
# keeps somebody out of an address from which they have signed in lately.
LOCKOUT_ACCOUNT_FAILURES = 15
LOCKOUT_ADDRESS_FAILURES = 50
LOCKOUT_ADDRESS_IS_KNOWN_FOR = timedelta(days=30)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "accounts.lockout.attempted_email"
AXES_CLIENT_STR_CALLABLE = "accounts.lockout.unnamed_client"
AXES_CLIENT_IP_CALLABLE = "accounts.context.client_address_of"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.locked_out_page"
AXES_SENSITIVE_PARAMETERS = ["login", "password", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

# Over HTTPS browsers take such a cookie from this host alone, and hand it to no other.
SESSION_COOKIE_NAME = "__Host-sessionid" if e.IS_HTTPS else "sessionid"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = e.IS_HTTPS
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
IDLE_LOGOUT_SECONDS = 20 * 60

SECURE_SSL_REDIRECT = e.IS_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if e.IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = e.IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
