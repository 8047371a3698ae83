"""The files that iPXE has loaded: a kernel, its initrds, by name or address. Source: src/hci/commands/image_cmd.c."""

from __future__ import annotations

from dataclasses import dataclass, field

from netprov.errors import Origin
from netprov.scripts.ipxe.line import Call
from netprov.scripts.plan import Boot, BootPlan, joined, refused
from netprov.scripts.straight import NotStraight, without_initrd


@dataclass(slots=True)
class Image:
    """`name`: what commands call it. `args`: its command line."""

    name: str
    uri: str
    args: str = ""


def image_of(told: Call, base: str, origin: Origin) -> Image:
    """A new one, by the command that asks for it. `base`: the script that its address is relative to."""
    uri = told.words[0]
    if "##" in uri:
        raise NotStraight(origin, f"{uri} is asked for with parameters, by POST")
    plain = uri.partition("?")[0].partition("#")[0].rpartition("/")[2]
    return Image(told.options.get("name", plain), joined(base, uri), " ".join(told.words[1:]))


@dataclass(slots=True)
class Images:
    """`selected`: what boot starts."""

    loaded: list[Image] = field(default_factory=list)
    selected: Image | None = None

    def find(self, name: str) -> Image | None:
        return next((image for image in self.loaded if image.name == name), None)

    def acquired(self, told: Call, base: str, origin: Origin) -> Image | None:
        """The image of that name, or a new one; without a name the one that is selected."""
        if not told.words:
            return self.selected
        image = self.find(told.words[0])
        if image is None:
            image = image_of(told, base, origin)
            self.loaded.append(image)
        elif told.words[1:]:
            image.args = " ".join(told.words[1:])
        image.name = told.options.get("name", image.name)
        return image

    def free(self, names: tuple[str, ...]) -> bool:
        """Those of these names; without any, all."""
        if not names:
            self.loaded, self.selected = [], None
        for name in names:
            image = self.find(name)
            if image is None:
                return False
            self.loaded.remove(image)
            self.selected = None if image is self.selected else self.selected
        return True

    def boot(self, kernel: Image, origin: Origin) -> BootPlan:
        """All that is loaded beside the kernel is its initrd. Raises NotStraight for a file that is put into one."""
        others = [image for image in self.loaded if image is not kernel]
        for image in others:
            if image.args:
                what = f"{image.uri} {image.args} makes an archive of a file, which only a running iPXE does"
                raise NotStraight(origin, what)
        initrds = tuple(dict.fromkeys(image.uri for image in others))
        refusal = refused(kernel.uri, initrds, str(origin), by_suffix=False)
        return refusal or Boot(kernel.uri, initrds, without_initrd(kernel.args))
