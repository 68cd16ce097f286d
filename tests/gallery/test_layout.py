"""The JSON of sheets, as engines read it."""

import json

from gaussiandiffusion.gallery.layout import Layout, Strip

LAYOUT = Layout([Strip("walk-front", [41, 42, 42], True), Strip("slash-front", [125, 125], False)], 32, 48, 3)


def test_names_lead_to_rectangles_within_the_sheet_that_do_not_meet():
    sheet = json.loads(json.dumps(LAYOUT.as_hash("sheet.png", {"app": "x"})))
    assert list(sheet["frames"]) == ["walk-front-0", "walk-front-1", "walk-front-2", "slash-front-0", "slash-front-1"]
    second = sheet["frames"]["slash-front-1"]
    assert second == {
        "frame": {"x": 32, "y": 48, "w": 32, "h": 48},
        "rotated": False,
        "trimmed": False,
        "spriteSourceSize": {"x": 0, "y": 0, "w": 32, "h": 48},
        "sourceSize": {"w": 32, "h": 48},
        "duration": 125,
    }
    assert sheet["animations"]["slash-front"] == ["slash-front-0", "slash-front-1"]
    meta = sheet["meta"]
    assert meta["size"] == {"w": 96, "h": 96}
    assert (meta["image"], meta["format"], meta["scale"], meta["app"]) == ("sheet.png", "RGB888", "1", "x")
    corners = {(f["frame"]["x"], f["frame"]["y"]) for f in sheet["frames"].values()}
    assert len(corners) == 5
    assert all(x + 32 <= 96 and y + 48 <= 96 for x, y in corners)


def test_the_array_calls_frames_by_number_and_the_tags_span_them_all():
    sheet = LAYOUT.as_array("sheet.png", {})
    assert [frame["filename"] for frame in sheet["frames"]] == ["0", "1", "2", "3", "4"]
    assert sheet["meta"]["frameTags"] == [
        {"name": "walk-front", "from": 0, "to": 2, "direction": "forward"},
        {"name": "slash-front", "from": 3, "to": 4, "direction": "forward", "repeat": "1"},
    ]
    named = list(LAYOUT.as_hash("sheet.png", {})["frames"].values())
    assert [{**frame, "filename": None} for frame in sheet["frames"]] == [
        {**frame, "filename": None} for frame in named
    ]
