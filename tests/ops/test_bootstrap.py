"""The set-up says in one sentence what this machine lacks."""

import re
import sys
from types import SimpleNamespace

import pytest

import bootstrap


@pytest.mark.parametrize("version", [(3, 9, 2), (3, 10, 0), (3, 14, 0)])
def test_names_the_pythons_it_can_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], version: tuple[int, ...]
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    assert bootstrap.main([]) == 1
    assert "it needs Python 3.11 to 3.13" in capsys.readouterr().err


def test_names_the_packages_that_bring_pango(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "SYSTEM_LIBRARIES", {"libnowhere.so.9": "libnowhere9"})
    with pytest.raises(bootstrap.SetupError, match="apt-get install libnowhere9"):
        bootstrap.check_libraries()


def test_begins_nothing_that_the_disk_could_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda _: SimpleNamespace(free=1024**3))
    with pytest.raises(bootstrap.SetupError, match=r"has 1\.0 GB free; setting up needs 5 GB"):
        bootstrap.check_space()


def test_takes_over_every_front_end_file_the_pages_use() -> None:
    pages = [*bootstrap.ROOT.glob("templates/**/*.html"), *bootstrap.ROOT.glob("static/*/*.*")]
    used = {
        name
        for page in pages
        if page.suffix in {".html", ".css", ".js"}
        for name in re.findall(r"vendor/([\w./-]+)", page.read_text())
    }
    assert used
    assert [name for name in used if not (bootstrap.VENDOR / name).is_file()] == []
