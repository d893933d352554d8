"""groups.json and truth.json: which names are found, what is asked, which answers are right."""

import json

import pytest

from config.errors import UserError
from evaluation.queries import (
    Edit,
    NameBook,
    find_edits,
    find_groups,
    group_queries,
    original_queries,
    read_groups,
    read_truth,
)

NAMES = ["a/x.dxf", "a/z（旧）.DXF", "b/x.dxf", "y.dxf"]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("a/x.dxf", 0),
        ("./a/x.dxf", 0),
        ("a\\x.dxf", 0),
        ("b/x.dxf", 2),
        ("y.dxf", 3),
        ("Y", 3),
        ("z（旧）.dxf", 1),
        ("z（旧）", 1),
        ("x.dxf", None),
        ("x", None),
        ("nowhere.dxf", None),
    ],
)
def test_a_name_is_a_path_or_a_file_name_that_only_one_has(name, index):
    book = NameBook(NAMES)
    assert book.find(name) == index
    assert (name in book.missing) == (index is None)


def test_it_says_why_a_name_is_not_found():
    book = NameBook(NAMES, skipped=["c/broken.dxf"])
    for name in ("x.dxf", "nowhere.dxf", "broken.dxf"):
        book.find(name)
    assert "a/x.dxf or b/x.dxf" in book.missing["x.dxf"]
    assert book.missing["nowhere.dxf"] == "is not in the archive"
    assert book.missing["broken.dxf"] == "was skipped"


def test_names_that_differ_in_case_alone_stay_apart():
    book = NameBook(["a.dxf", "A.dxf"])
    assert (book.find("a.dxf"), book.find("A.dxf")) == (0, 1)
    assert book.find("A.DXF") is None


def test_composed_and_decomposed_letters_are_the_same():
    assert NameBook(["Gehäuse.dxf"]).find("Geha\u0308use.dxf") == 0


def written(folder, content):
    path = folder / "groups.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_groups_keep_what_is_there(tmp_path):
    book = NameBook(NAMES)
    named = read_groups(written(tmp_path, [["y", "a/x.dxf", "y.dxf"], ["nowhere.dxf", "b/x.dxf"], []]))
    groups = find_groups(named, book)
    assert groups == [[0, 3], [2], []]
    assert list(book.missing) == ["nowhere.dxf"]


def test_edits_of_one_group_or_one_original_are_not_independent():
    truth = [(1, 0, ("a",)), (3, 2, ("a",)), (5, 4, ("a",)), (7, 6, ("a",)), (8, 6, ("b",))]
    clusters = [query.cluster for query in original_queries([Edit(*each) for each in truth], [[0, 2], [4]])]
    assert clusters[0] == clusters[1]
    assert clusters[3] == clusters[4]
    assert len(set(clusters)) == 3


@pytest.mark.parametrize("content", ["{", '{"a": 1}', '["a.dxf"]', "[[1]]", "3"])
def test_what_is_no_groups_json_is_refused(tmp_path, content):
    with pytest.raises(UserError, match=r"groups\.json"):
        read_groups(written(tmp_path, content))


def test_every_member_asks_for_the_others():
    queries = group_queries([[0, 2, 5], [7], [1, 3]])
    assert [(query.drawing, query.relevant.tolist(), query.labels) for query in queries] == [
        (0, [2, 5], (0,)),
        (1, [3], (2,)),
        (2, [0, 5], (0,)),
        (3, [1], (2,)),
        (5, [0, 2], (0,)),
    ]
    clusters = {query.drawing: query.cluster for query in queries}
    assert clusters[0] == clusters[2] == clusters[5] != clusters[1] == clusters[3]


def test_a_drawing_in_two_groups_asks_for_both_and_ties_them():
    queries = {query.drawing: query for query in group_queries([[0, 1], [1, 2], [3, 4]])}
    assert queries[1].relevant.tolist() == [0, 2]
    assert queries[1].labels == (0, 1)
    assert queries[0].relevant.tolist() == [1]
    assert queries[0].cluster == queries[2].cluster != queries[3].cluster


def test_an_edited_drawing_asks_for_its_original_alone(tmp_path):
    files = [
        {"file": "y.dxf", "original": None, "edits": []},
        {"file": "a/x.dxf", "original": "y.dxf", "edits": [{"name": "move"}, {"name": "cut"}, {"name": "move"}]},
        {"file": "b/x.dxf", "original": "gone.dxf", "edits": [{"name": "cut"}]},
    ]
    book = NameBook(NAMES)
    truth = find_edits(read_truth(written(tmp_path, {"files": files})), book)
    assert truth == [Edit(0, 3, ("cut", "move"))]
    assert list(book.missing) == ["gone.dxf"]
    (query,) = original_queries(truth, [[0, 3]])
    assert (query.drawing, query.relevant.tolist(), query.labels) == (0, [3], ("cut", "move"))


def test_what_is_no_truth_json_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"truth\.json"):
        read_truth(written(tmp_path, [["a.dxf"]]))
