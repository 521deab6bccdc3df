import pytest

from azeotrope.errors import InputError
from azeotrope.synthesis.names import class_words, clean, read_descriptions


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("polka-dotted", "polka dotted"),
        ("Faces_easy", "faces easy"),
        ("001.Black_footed_Albatross", "black footed albatross"),
        ("T-shirt/top", "t shirt top"),
        ("blackBear", "black bear"),
        ("CT", "CT"),
        ("  Ankle   boot ", "ankle boot"),
    ],
)
def test_a_folder_name_becomes_words(name, words):
    assert clean(name) == words


def test_names_that_say_nothing_are_warned_of_and_used():
    made = class_words(["n02085620", "7", "class_3", "dog"])
    assert made.words == ("n02085620", "7", "class 3", "dog")
    (warning,) = made.warnings
    assert "3 class names tell a generator nothing: n02085620, 7, class_3" in warning
    assert "--descriptions" in warning


def test_a_description_replaces_the_name_and_its_warning():
    made = class_words(["n02085620", "dog"], {"n02085620": "chihuahua, a very small dog"})
    assert made.words == ("chihuahua, a very small dog", "dog")
    assert made.warnings == ()


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (["___", "cat"], "Every class needs a name for its prompt. Found: nothing left of '___'."),
        (["hot_dog", "Hot-Dog"], "'hot_dog', 'Hot-Dog' all become 'hot dog'"),
        (["(cat:1.5)", "dog"], "must not hold prompt syntax. Found: '(cat:1.5)'."),
        (["<lora:x>", "dog"], "must not hold prompt syntax"),
        (["cat AND hat", "dog"], "must not hold prompt syntax"),
    ],
)
def test_names_that_cannot_be_prompts_are_refused(classes, said):
    with pytest.raises(InputError) as refused:
        class_words(classes)
    assert said in str(refused.value)
    assert "--descriptions FILE" in str(refused.value)


def test_descriptions_are_read(tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("# breeds\n\nn02085620 = chihuahua\ncat=a tabby = cat\n")
    assert read_descriptions(file) == {"n02085620": "chihuahua", "cat": "a tabby = cat"}


def test_a_line_that_is_no_description_is_named(tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("cat = tabby\ndog\n")
    with pytest.raises(InputError, match=r"Line 2 of .* is not a description. Found: 'dog'. Allowed: class = words"):
        read_descriptions(file)


def test_a_description_of_no_class_is_refused():
    with pytest.raises(InputError, match=r"must be of a class of the task. Found: 'dgo'. Allowed: nearest: dog"):
        class_words(["dog", "cat"], {"dgo": "x"})
