"""Static files are collected under names of their content, the modules that scripts import too."""

import re
import shutil
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from classifier.templatetags.modules import modules_of
from hematovision.static_files import HashedStaticFiles

ENTRY = "js/review/review.js"
HASHED = re.compile(r"\.[0-9a-f]{12}\.js$")
IMPORTED = re.compile(r"""^(?:import|export)\s[^;]*?["'](\.[^"']+)["']""", re.MULTILINE)


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    """The product's modules as `collectstatic` leaves them."""
    source = finders.find("js")
    assert isinstance(source, str)
    shutil.copytree(source, tmp_path / "js")
    storage = HashedStaticFiles(location=tmp_path, base_url="/static/")
    names = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.js")]
    done = list(storage.post_process({name: (storage, name) for name in names}))
    assert not [result for _, _, result in done if isinstance(result, Exception)]
    return tmp_path


def follow(folder: Path, entry: str) -> set[Path]:
    """All modules that one imports, directly or not."""
    found: set[Path] = set()
    waiting = [folder / entry]
    while waiting:
        module = waiting.pop()
        for name in IMPORTED.findall(module.read_text(encoding="utf-8")):
            other = (module.parent / name).resolve()
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def test_a_script_and_all_that_it_imports_are_named_after_their_content(collected: Path) -> None:
    entry = HashedStaticFiles(location=collected, base_url="/static/").stored_name(ENTRY)
    modules = follow(collected.resolve(), entry)
    assert len(modules) > 20
    assert all(HASHED.search(module.name) and module.is_file() for module in modules)


def test_the_page_names_the_modules_as_they_name_each_other(
    collected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = HashedStaticFiles(location=collected, base_url="/static/")
    monkeypatch.setattr("django.contrib.staticfiles.storage.staticfiles_storage", storage)
    imported = follow(collected.resolve(), storage.stored_name(ENTRY))
    names = {path.relative_to(collected.resolve()).as_posix() for path in imported}
    assert set(modules_of(ENTRY)) == {f"/static/{name}" for name in names}


@pytest.mark.parametrize(
    "sheet",
    sorted((Path(__file__).resolve().parents[2] / "static/css").glob("*.css")),
    ids=lambda sheet: sheet.name,
)
def test_a_style_sheet_closes_each_block_that_it_opens(sheet: Path) -> None:
    """What follows an open `@media print` would hold on paper alone."""
    text = sheet.read_text()
    assert text.count("{") == text.count("}")
