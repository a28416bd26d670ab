"""Single sign-on at the hospital's identity provider, by OpenID Connect."""
