"""Hands on a page: every gesture is done for real and counted, with the time that it takes people.

The times are those of the keystroke-level model (Card, Moran & Newell, Commun ACM 1980;23:396):
a key 0.28 s, pointing 1.10 s, a button's press or release 0.10 s, a hand from mouse to keys or back
0.40 s. Thinking and looking are left out, as they are the same whatever the hands do. A turn of the
wheel is counted as pointing; the model has no time for it.
"""

from collections import Counter
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page

KEY, POINT, PRESS, HOMING = 0.28, 1.10, 0.10, 0.40


@dataclass
class Hands:
    """One person's hands; they begin on the mouse."""

    page: Page
    gestures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    on_mouse: bool = True

    @property
    def total(self) -> int:
        """How many gestures there were."""
        return self.gestures.total()

    def key(self, name: str) -> None:
        """Press a key."""
        self._home(on_mouse=False)
        self._note("key", KEY)
        self.page.keyboard.press(name)

    def click(self, target: Locator, *, adding: bool = False) -> None:
        """Point and click; ``adding`` with Ctrl held, which costs a key."""
        self._bring(target)
        self._note("click", POINT + 2 * PRESS + (KEY if adding else 0.0))
        target.click(modifiers=["Control"] if adding else [])

    def drag(self, source: Locator, target: Locator) -> None:
        """Press on one thing, move to another, release; turn the wheel in between if needed."""
        self._bring(source)
        self._note("drag", 2 * POINT + 2 * PRESS)
        source.hover()
        self.page.mouse.down()
        # The first movement starts the drag: it must come before the page scrolls under it.
        box = source.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"] / 2 + 8, box["y"] + box["height"] / 2 + 8)
        self._bring(target)
        target.hover()
        target.hover()
        self.page.mouse.up()

    def _bring(self, target: Locator) -> None:
        """Turn the wheel if the target isn't on the screen."""
        self._home(on_mouse=True)
        box = target.bounding_box()
        assert box is not None
        height = self.page.evaluate("innerHeight")
        if box["y"] < 0 or box["y"] + min(box["height"], 40) > height:
            self._note("wheel", POINT)
            target.scroll_into_view_if_needed()

    def _home(self, *, on_mouse: bool) -> None:
        if self.on_mouse != on_mouse:
            self.seconds += HOMING
            self.on_mouse = on_mouse

    def _note(self, gesture: str, seconds: float) -> None:
        self.gestures[gesture] += 1
        self.seconds += seconds
