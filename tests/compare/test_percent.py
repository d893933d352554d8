import pytest

from compare.percent import percent


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, "0.0"), (0.29, "29.0"), (0.9929, "99.2"), (0.9996, "99.9"), (1.0, "99.9")]
)
def test_a_share_is_rounded_down_and_never_all(share, said):
    assert percent(share) == said
