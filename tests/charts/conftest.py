"""Fixtures of the tests of the chart and the manifests."""
import pytest

from rendering import Helm, kustomized, tool


@pytest.fixture
def helm():
    tool("helm")
    return Helm()


@pytest.fixture
def manifests():
    return kustomized()
