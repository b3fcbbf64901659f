"""What the tests of the API share."""

from types import SimpleNamespace

import pytest

from tests.support.rest import make_state_machine


@pytest.fixture
def rest(account: SimpleNamespace) -> None:
    """Make the state machine that the API starts."""
    make_state_machine()
