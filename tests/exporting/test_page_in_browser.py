"""The page of a bundle in a real browser: the file answers there as it was verified, and nothing lies over anything.

It fetches onnxruntime-web by npm, so it is run by `make test-browser` and not by default.
"""

import pytest

import azeotrope

pytestmark = [pytest.mark.browser, pytest.mark.network]


@pytest.fixture(scope="module")
def bundle(model, tmp_path_factory):
    return azeotrope.export(model, to="onnx", page="npm", out=tmp_path_factory.mktemp("page") / "export").folder


@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_answers_as_verified(bundle, chromium, width):
    said, asked = [], []
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((bundle / "demo.html").as_uri())
    page.wait_for_selector("body[data-state]", timeout=120_000)
    assert page.evaluate("document.body.dataset.state") == "ready", page.inner_text("#state")
    assert page.evaluate("Number(document.body.dataset.levels)") == 0
    assert page.evaluate("Number(document.body.dataset.apart)") < 1e-4
    assert page.locator(".picture").count() == 3
    picture = bundle / "samples" / "0.png"
    page.set_input_files("#files", [picture, bundle / "run.py"])
    page.wait_for_selector("p.error")
    (wanted,) = azeotrope.predict(bundle / "model.onnx", picture)
    first = page.locator(".picture").first.inner_text().split()
    assert first[:3] == ["0.png", wanted.classes[0], f"{100 * wanted.probabilities[0]:.1f}"]
    state, drop, pictures = (page.locator(name).bounding_box() for name in ("#state", "#drop", "#pictures"))
    assert state["y"] + state["height"] <= drop["y"]
    assert drop["y"] + drop["height"] <= pictures["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "blob", "data"}
    page.close()
