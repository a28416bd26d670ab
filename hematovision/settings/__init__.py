"""Django settings, split by concern."""

from hematovision.settings.api import *  # noqa: F403
from hematovision.settings.audit import *  # noqa: F403
from hematovision.settings.base import *  # noqa: F403
from hematovision.settings.exchange import *  # noqa: F403
from hematovision.settings.logs import *  # noqa: F403
from hematovision.settings.mail import *  # noqa: F403
from hematovision.settings.security import *  # noqa: F403
from hematovision.settings.tasks import *  # noqa: F403
from hematovision.settings.vault import *  # noqa: F403
