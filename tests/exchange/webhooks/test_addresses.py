"""Addresses of webhooks: which are refused, and who may add one."""

from typing import Any

import pytest

from accounts.models import User
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case
from exchange.models import Webhook, WebhookDelivery
from exchange.services.webhook_delivery import (
    tell_webhooks,
)
from exchange.webhooks.addresses import AddressRefused, check_url, find_target, is_allowed
from tests.exchange.conftest import Issue
from tests.exchange.webhooks.conftest import Receiver, add


@pytest.mark.parametrize(
    "url",
    [
        "http://hospital.example/in",
        "ftp://hospital.example/",
        "https://user:word@hospital.example/",
        "https://hospital.example/#part",
        "https://",
        "https://hospital.example:0/",
        "https://hospital.example:99999/",
        "https://hospital example/",
        "https://[::1/",
        "javascript:alert(1)",
    ],
)
def test_some_addresses_can_not_be_a_webhooks(url: str, administrator: User) -> None:
    with pytest.raises(AddressRefused):
        check_url(url)
    with pytest.raises(GuardFailed):
        add(administrator, url)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "::",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "ff02::1",
    ],
)
def test_no_call_goes_into_the_network(address: str, settings: Any) -> None:
    settings.WEBHOOK_LOOPBACK = False
    assert not is_allowed(address)
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(AddressRefused):
        find_target(f"https://{host}/in")


def test_networks_can_be_allowed_one_by_one(settings: Any) -> None:
    settings.WEBHOOK_LOOPBACK = False
    settings.WEBHOOK_PRIVATE_NETWORKS = ["10.1.0.0/16"]
    assert is_allowed("10.1.2.3")
    assert is_allowed("::ffff:10.1.2.3")
    assert not is_allowed("10.2.0.1")
    assert not is_allowed("127.0.0.1")
    assert is_allowed("93.184.215.14")
    with pytest.raises(AddressRefused):
        check_url("http://127.0.0.1/in")


def test_a_name_that_leads_inside_is_found_out_when_it_is_called(
    webhook: Webhook, receiver: Receiver, case: Case, issue: Issue, settings: Any
) -> None:
    receiver.start()
    issue(case)
    settings.WEBHOOK_LOOPBACK = False
    tell_webhooks()
    assert receiver.calls() == []
    assert WebhookDelivery.objects.get().problem


def test_only_who_connects_systems_may_add_a_webhook(technician: User) -> None:
    with pytest.raises(NotPermitted):
        add(technician, "https://hospital.example/in")
