"""The map viewer in a browser: it draws, and what it says is what the files hold."""

import io
from itertools import pairwise

import nibabel as nib
import numpy as np
import pytest
import viewer_scans as scans
from opened import PHONE, WIDE
from PIL import Image
from report_study import build, make_study

from qsmstudy.report.page_options import BuildReport

pytestmark = pytest.mark.browser

STEP = scans.SETTINGS["step_ppm"]
FIRST, SECOND, LEFT_OUT = "sub-01", "sub-02_ses-1", "sub-03"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A report with two scans in its viewer, one left out, and the scans' files."""
    folder = tmp_path_factory.mktemp("viewer")
    arguments = make_study(folder)
    files = {n: scans.make_scan(folder / n, n, seed=s) for s, n in enumerate((FIRST, SECOND))}
    packs = [scans.pack(files[n], folder / "packs" / f"{n}.json") for n in files]
    last = packs[0].with_name(f"{LEFT_OUT}.json")
    last.write_bytes(packs[0].read_bytes())
    pictures = []
    for name in (FIRST, SECOND, LEFT_OUT):
        pictures.append(folder / f"{name}.png")
        Image.new("RGB", (40, 30), "#336699").save(pictures[-1])
    room = sum(path.stat().st_size for path in packs) / 1e6 * 1.2
    options = BuildReport(viewer_megabytes=room)
    build(arguments | {"packs": [*packs, last], "mosaics": pictures, "options": options})
    return arguments["report"], files


class Viewer:
    """The viewer's section of an opened report."""

    def __init__(self, opened):
        self.page = opened.page
        self.root = opened.page.locator("#maps")

    def choose(self, name):
        self.root.locator("[name=scan]").select_option(name)
        self.page.wait_for_selector(f'#maps[data-shown="{name}"]', timeout=120_000)
        return self

    def text(self, part):
        return self.root.locator(f'[data-part="{part}"]').inner_text()

    def rater(self, name):
        return self.root.locator(f'dd[data-rater="{name}"]').inner_text()

    def go_to(self, region):
        self.root.locator("[name=region]").select_option(label=region)
        return self

    def click(self, across, down):
        """Click in the pictures, at a part of their width and height."""
        canvas = self.root.locator("canvas")
        box = canvas.bounding_box()
        canvas.click(position={"x": across * box["width"], "y": down * box["height"]})

    def millimetres(self):
        return np.array(self.root.get_attribute("data-mm").split(), dtype=float)

    def picture(self):
        """Return what is drawn, as an array of red, green and blue."""
        shot = self.root.locator("canvas").screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def voxel_value(path, position):
    """Return the file's value at the voxel that holds a position [mm]."""
    image = nib.load(path)
    where = np.linalg.inv(image.affine) @ [*position, 1]
    return float(np.asarray(image.dataobj)[tuple(np.rint(where[:3]).astype(int))])


def check_values(viewer, files):
    """Compare what the viewer says of its crosshair with the files."""
    position = viewer.millimetres()
    expected = voxel_value(files["chi"], position)
    if expected == 0:
        assert viewer.text("chi") == "not defined here"
    else:
        said = float(viewer.text("chi").removesuffix(" ppm").replace("−", "-"))
        assert abs(said - expected) <= STEP / 2 + 1e-6  # the step, and float32 in the file
    names = {0: "none"} | dict(zip(scans.TABLE["index"], scans.TABLE["name"], strict=True))
    for rater, path in zip(files["raters"], files["labels"], strict=True):
        assert viewer.rater(rater) == names[int(voxel_value(path, position))]
    return expected


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_viewer_draws_the_chosen_scan_without_network_or_complaint(open_page, study, width):
    opened = open_page(study[0], width=width)
    assert opened.page.locator("#maps [data-part=stage]").is_hidden()
    viewer = Viewer(opened).choose(FIRST)
    colours = viewer.picture()
    assert colours.max(axis=2).std() > 20  # gray values that differ, on a black ground
    coloured = (colours.max(axis=2) - colours.min(axis=2) > 40).mean()
    assert coloured > 0.01  # labels and the crosshair
    opened.check_silent()
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.page.evaluate(wider) == 0


def test_crosshair_says_what_the_files_hold(open_page, study):
    report, files = study
    viewer = Viewer(open_page(report)).choose(FIRST)
    values = []
    for region in scans.TABLE["name"]:
        viewer.go_to(region)
        assert viewer.rater("A") == region
        values.append(check_values(viewer, files[FIRST]))
    assert values[1] > values[0] + 0.1  # the right one is made brighter
    viewer.root.locator("canvas").focus()
    for key in ("ArrowUp", "ArrowLeft", "PageDown", "ArrowDown", "PageUp", "ArrowRight"):
        before = viewer.millimetres()
        viewer.page.keyboard.press(key)
        assert np.any(viewer.millimetres() != before)
        check_values(viewer, files[FIRST])
    for across, down in ((0.1, 0.3), (0.2, 0.5), (0.5, 0.2), (0.8, 0.3)):
        viewer.click(across, down)
        check_values(viewer, files[FIRST])


def test_left_is_left(open_page, study):
    """The bright region is on the patient's right: at the viewer's left, where R stands."""
    report, files = study
    viewer = Viewer(open_page(report)).choose(FIRST).go_to("Right putamen")
    assert viewer.millimetres()[0] > 0
    assert " R" in viewer.text("place")
    # The first picture is axial and a bit over a quarter of the width.
    viewer.root.locator("[name=strength]").fill("0")
    shot = viewer.picture()
    axial = shot[:, : int(0.28 * shot.shape[1])].min(axis=2)
    bright = np.argwhere(axial > 200)
    assert len(bright) > 50
    assert bright[:, 1].mean() < axial.shape[1] / 2
    viewer.click(0.05, 0.4)
    assert viewer.millimetres()[0] > 0
    viewer.page.keyboard.press("ArrowLeft")
    further = viewer.millimetres()[0]
    viewer.page.keyboard.press("ArrowRight")
    assert viewer.millimetres()[0] < further
    check_values(viewer, files[FIRST])


def test_switching_scans_shows_the_other_ones_values(open_page, study):
    report, files = study
    opened = open_page(report)
    viewer = Viewer(opened).choose(FIRST).go_to("Right putamen")
    first = check_values(viewer, files[FIRST])
    viewer.root.get_by_role("button", name="Next scan").click()
    opened.page.wait_for_selector(f'#maps[data-shown="{SECOND}"]', timeout=120_000)
    assert check_values(viewer, files[SECOND]) != first
    link = viewer.root.locator("[data-part=link]").get_attribute("href")
    assert (report.parent / link).samefile(files[SECOND]["chi"])
    opened.check_silent()


def test_participants_page_opens_its_map(open_page, study):
    opened = open_page(study[0])
    page = opened.page.locator(f"#scan-{SECOND}")
    page.evaluate("details => { details.open = true; }")
    page.locator("[data-map]").click()
    opened.page.wait_for_selector(f'#maps[data-shown="{SECOND}"]', timeout=120_000)
    assert opened.page.locator("#maps canvas").is_visible()


def test_window_picture_and_labels_change_what_is_drawn(open_page, study):
    viewer = Viewer(open_page(study[0])).choose(FIRST)
    seen = [viewer.picture()]
    viewer.root.locator("[name=rater][value=A]").uncheck()
    seen.append(viewer.picture())
    viewer.root.locator("[name=high]").fill("0.5")
    assert viewer.text("high-text") == "0.50 ppm"
    seen.append(viewer.picture())
    viewer.root.locator("[name=base][value=magnitude]").check()
    assert viewer.text("high-text") == "100 %"
    seen.append(viewer.picture())
    for before, after in pairwise(seen):
        assert np.abs(after - before).max() > 20


def test_scan_left_out_and_browser_without_webgl_show_the_mosaic(open_page, study, chromium):
    opened = open_page(study[0])
    viewer = Viewer(opened).choose(LEFT_OUT)
    assert viewer.root.locator("[data-part=picture]").is_visible()
    assert "left out" in viewer.text("status")
    blind = chromium.new_context(offline=True)
    # As in a browser whose graphics are blocked: no context is given.
    blind.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = blind.new_page()
    page.goto(study[0].resolve().as_uri())
    page.locator("#maps [name=scan]").select_option(FIRST)
    picture = page.locator("#maps [data-part=picture]")
    picture.wait_for(state="visible")
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 40
    assert page.locator("#maps canvas").is_hidden()
    assert "no WebGL" in page.locator("#maps [data-part=status]").inner_text()
    blind.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_viewer_is_accessible(open_page, study, scheme):
    opened = open_page(study[0], scheme=scheme)
    Viewer(opened).choose(FIRST)
    assert opened.violations("#part-viewer") == []
