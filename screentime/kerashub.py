"""KerasHub's image networks, DINOv2 and SigLIP: an extra. What is known of them without the package, plain numbers.

`kerashub:dinov2_small` is a preset by its name there, `kerashub:FOLDER` one that was saved as files. The patches of such a
network are its places: a row of features for each, as a feature map has them. They are shown pixels; the built network
begins with the normalization that comes with the preset.
"""

import json
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from screentime.backbones import Backbone
from screentime.errors import InputError
from screentime.files import sha256_of

PREFIX = "kerashub:"
EXTRA = "requirements-kerashub.txt"
CONFIG, CONVERTER = "config.json", "image_converter.json"
# the networks that are built, by the names their configurations have, and which of them takes squares of any size
NETWORKS = {
    "keras_hub>DINOV2Backbone": True,
    "keras_hub>SigLIPBackbone": False,
    "keras_hub>SigLIPVisionEncoder": False,
}
# what else a configuration may hold; all others could be anybody's code
PARTS = {"keras_hub>SigLIPTextEncoder", "keras_hub>SigLIPVisionEncoder"}

_WIDTHS = {"small": 384, "base": 768, "large": 1024, "so400m": 1152, "giant": 1536}
_NAMES = (
    *(f"dinov2_{size}" for size in ("small", "base", "large", "giant")),
    *(f"dinov2_with_registers_{size}" for size in ("small", "base", "large", "giant")),
    *(f"siglip_base_patch16_{side}" for side in (224, 256, 384, 512)),
    "siglip_base_patch16_256_multilingual",
    *(f"siglip_large_patch16_{side}" for side in (256, 384)),
    *(f"siglip_so400m_patch14_{side}" for side in (224, 384)),
    "siglip_so400m_patch16_256_i18n",
    *(f"siglip2_base_patch16_{side}" for side in (224, 256, 384)),
    "siglip2_base_patch32_256",
    *(f"siglip2_large_patch16_{side}" for side in (256, 384, 512)),
    *(f"siglip2_giant_opt_patch16_{side}" for side in (256, 384)),
    *(f"siglip2_so400m_patch14_{side}" for side in (224, 384)),
    *(f"siglip2_so400m_patch16_{side}" for side in (256, 384, 512)),
)


@dataclass(frozen=True)
class HubBackbone(Backbone):
    """A network of KerasHub; `stride` is the side of its patches, 1 while its folder is not there to say.

    Attributes:
        any_side: whether squares of every multiple of a patch fit, or `side` alone.
    """

    any_side: bool = True

    @property
    def preset(self) -> str:
        """The preset's name or folder, as KerasHub takes it."""
        return self.name.removeprefix(PREFIX)

    @property
    def folder(self) -> Path | None:
        """Where the preset lies, None of one that goes by a name of KerasHub's."""
        return None if self.preset in PRESETS else Path(self.preset)

    def check_size(self, height: int, width: int, place: str = "params.yaml", keys: str = "width and height") -> None:
        """Refuse what is no square of whole patches, or not the one size that the network takes."""
        if height == width and height % self.stride == 0 and (self.any_side or height == self.side):
            return
        if self.any_side:
            side = max(1, round(max(height, width) / self.stride)) * self.stride
            patches = f" of a multiple of {self.stride} pixels" if self.stride > 1 else ""
            expected = f"a square{patches} was expected, like {side}x{side}"
        else:
            expected = f"{self.side}x{self.side} was expected"
        raise InputError(f"{place}: {width}x{height} does not fit {self.name}, {expected}; correct {keys}")

    def identity(self) -> dict[str, str]:
        """The version of the package, and of a folder the hashes of its files.

        Raises:
            InputError: the package is not installed, or the folder is not there.
        """
        try:
            found = {"keras-hub": version("keras-hub")}
        except PackageNotFoundError:
            raise not_installed(self.name) from None
        if self.folder is None:
            return found
        read_config(self.folder / CONFIG)
        return found | {path.name: sha256_of(path) for path in sorted(self.folder.iterdir()) if path.is_file()}


def not_installed(name: str) -> InputError:
    """The sentence where the extra is missing."""
    return InputError(
        f"{name}: the package keras-hub is not installed, it was expected for KerasHub's networks; run `pip install -r {EXTRA}`"
    )


def hub_backbone(name: str) -> HubBackbone | None:
    """The network of that name, None where KerasHub has none and no folder is meant.

    Raises:
        InputError: the folder is there and holds something else.
    """
    preset = name.removeprefix(PREFIX)
    if preset in PRESETS:
        return PRESETS[preset]
    folder = Path(preset)
    if (folder / CONFIG).is_file():
        return facts_of(name, folder / CONFIG)
    if folder.is_dir() or len(folder.parts) > 1:  # where a trained model scores, the folder is not needed
        return _facts(name, n_features=0, side=0, patch=1, any_side=True)
    return None


def facts_of(name: str, config: Path) -> HubBackbone:
    """A preset's facts from its configuration, after a look at what that names.

    Raises:
        InputError: it is no configuration, of another network, or names anything but these networks' own parts.
    """
    loaded = read_config(config)
    kind = loaded.get("registered_name")
    if kind not in NETWORKS:
        known = ", ".join(registered.partition(">")[2] for registered in NETWORKS)
        raise InputError(f"{config}: {_shown(kind)} was found, one of {known} was expected; name a preset of those")
    settings = loaded["config"]
    if kind == "keras_hub>SigLIPBackbone":
        settings = settings.get("vision_encoder", {}).get("config", {})
    try:
        patch, width, side = settings["patch_size"], settings["hidden_dim"], settings["image_shape"][0]
        return _facts(name, n_features=int(width), side=int(side), patch=int(patch), any_side=NETWORKS[kind])
    except (KeyError, TypeError, ValueError, IndexError):
        raise InputError(
            f"{config}: patch_size, hidden_dim or image_shape is not there, they were expected; bring the preset again"
        ) from None


def read_config(path: Path) -> dict:
    """One of a preset's JSON files. Every object that it would make must be KerasHub's own, or a type of numbers.

    Raises:
        InputError: it is not there, no JSON, or names something else.
    """
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
        strange = _strange(loaded, top=True)
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file was found, a KerasHub preset as save_to_preset writes it was expected; name its folder"
        ) from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: this is no JSON, a KerasHub preset was expected; bring it again") from None
    if not isinstance(loaded, dict) or not isinstance(loaded.get("config"), dict):
        raise InputError(f"{path}: no configuration was found, a KerasHub preset was expected; bring it again")
    if strange:
        raise InputError(
            f"{path}: it names {_shown(strange)}, parts of KerasHub's own networks alone were expected; it may hold somebody's "
            "program, do not use it"
        )
    return loaded


def _strange(value: object, top: bool = False) -> str | None:
    """The first object in a configuration that is neither a network's part nor a type of numbers."""
    if isinstance(value, list):
        return next((found for item in value if (found := _strange(item))), None)
    if not isinstance(value, dict):
        return None
    if {"class_name", "registered_name", "module"} & set(value):
        kind, module = value.get("registered_name"), value.get("module")
        plain = kind is None and module == "keras" and value.get("class_name") == "DTypePolicy"
        own = kind in PARTS or (top and (kind in NETWORKS or re.fullmatch(r"keras_hub>\w*ImageConverter", str(kind))))
        if not plain and not own:
            return f"{kind or value.get('class_name')}"
        if own and (not str(module).startswith("keras_hub.") or value.get("class_name") != kind.partition(">")[2]):
            return f"{module}.{value.get('class_name')}"
    return next((found for item in value.values() if (found := _strange(item))), None)


def _facts(name: str, *, n_features: int, side: int, patch: int, any_side: bool) -> HubBackbone:
    return HubBackbone(name, "RGB", (0.0,) * 3, (1.0,) * 3, n_features, side, patch, patch, any_side)


def _named(preset: str) -> HubBackbone:
    size = re.search("|".join(_WIDTHS), preset)[0]
    if preset.startswith("dinov2"):
        return _facts(PREFIX + preset, n_features=_WIDTHS[size], side=518, patch=14, any_side=True)
    patch, side = map(int, re.search(r"patch(\d+)_(\d+)", preset).groups())
    return _facts(PREFIX + preset, n_features=_WIDTHS[size], side=side, patch=patch, any_side=False)


def _shown(value: object) -> str:
    return "nothing" if value is None else f"'{value}'"


PRESETS = {preset: _named(preset) for preset in _NAMES}
