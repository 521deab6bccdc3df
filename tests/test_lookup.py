"""What is said about a name that is not known."""

from azeotrope.lookup import nearest, unknown


def test_the_nearest_names_are_offered():
    assert str(unknown("loss", "kll", ["rkd", "kl"])) == (
        "There is no loss named 'kll'. Allowed: nearest: kl. Next: take one of these names, or see `azeotrope list`."
    )


def test_a_few_names_are_all_listed():
    names = [f"name_{number:02}" for number in range(20)]
    assert f"Allowed: {', '.join(names)}. Next:" in str(unknown("law", "?", reversed(names)))


def test_of_many_names_the_number_is_said():
    names = [f"name_{number:04}" for number in range(1371)]
    assert str(unknown("timm model", "?", reversed(names))) == (
        "There is no timm model named '?'. "
        "Allowed: 1,371 names, such as name_0000, name_0001, name_0002, name_0003, name_0004. "
        "Next: take one of these names, or see `azeotrope list`."
    )


def test_small_and_large_letters_are_alike():
    assert nearest("t", ["T", "width"]) == ["T"]
