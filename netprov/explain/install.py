"""What follows the loader's script: the kernel's arguments, the installer's answers, its callback, the next boot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from netprov.boot.decide import decide
from netprov.boot.decision import Action, BootDecision, Step
from netprov.boot.install import InstallRecord, InstallState, next_boot
from netprov.boot.owner import answers_mac
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest, Loader
from netprov.boot.state import BootState
from netprov.errors import ConfigError, PeerError
from netprov.explain.stage import Stage
from netprov.inventory.model import InstallMode, Target
from netprov.render.answers import reports_its_end
from netprov.render.arguments import command_line, too_long
from netprov.render.compose import Rendered, answers_for
from netprov.render.context import Subject
from netprov.render.generation import Generation
from netprov.render.quoting import kernel_word
from netprov.render.server import Server
from netprov.text import size


@dataclass(frozen=True, slots=True)
class Install:
    """A script that boots a kernel, `made` for `asked`, and what it leads to."""

    generation: Generation
    asked: BootRequest
    made: Rendered

    @property
    def decision(self) -> BootDecision:
        return self.made.decision

    @property
    def target(self) -> Target:
        target = self.decision.target
        assert target is not None  # a kernel is somebody's
        return target

    def stages(self) -> Iterator[Stage]:
        """From the kernel's arguments to the boot after this one."""
        kernel = self.decision.kernel
        assert kernel is not None
        yield self._arguments()
        answers = ""
        if kernel.autoinstall:
            stage = self._answers()
            answers = stage.text
            yield stage
        if self.decision.installing:
            yield self._callback(answers)
        yield self._afterwards()

    def _subject(self) -> Subject:
        server = Server.of(self.generation.inventory, self.asked)
        return Subject(self.target, server, self.asked.mac, self.made.token, self.decision.subnet)

    def _arguments(self) -> Stage:
        """As the script has them; iPXE's has the names of the initrds besides."""
        kernel, target = self.decision.kernel, self.target
        assert kernel is not None
        facts = self._subject().facts(autoinstall=kernel.autoinstall)
        line = " ".join(map(kernel_word, command_line(target, kernel.options, facts)))
        trace = self._because("kernel_options", Reason.RENDERED, "has kernel_options") if kernel.options else ()
        return Stage("arguments", "the kernel", line or "none", trace, advice=too_long(target, line))

    def _because(self, field: str, reason: Reason, says: str) -> tuple[Step, ...]:
        target = self.target
        return (Step(reason, f"{target.kind} {target.name} {says}", target.origins.get(field)),)

    def _answers(self) -> Stage:
        """What the installer fetches, as it would be sent: with the token that its URL carries."""
        target, asks = self.target, "the installer, by HTTP"
        trace = self._because("autoinstall", Reason.RENDERED, f"has autoinstall {target.autoinstall}")
        if "://" in target.autoinstall:
            return Stage("autoinstall", f"{asks}: {target.autoinstall}", "from another server", trace)
        if not self.generation.inventory.settings.http.enabled:
            return Stage("autoinstall", asks, "nothing", trace, problem="http.enabled is false: nothing answers")
        subject = self._subject()
        owner = self.decision.record
        subject = replace(subject, mac=answers_mac(target, subject.mac, owner))
        try:
            made = answers_for(subject, self.generation.templates, owner)
        except (ConfigError, PeerError) as error:
            return Stage("autoinstall", asks, "an error", trace, problem=str(error))
        gets = f"{size(len(made.body))}, made from {made.template}"
        facts = (("from", subject.autoinstall_url),)
        return Stage("autoinstall", asks, gets, trace, text=made.body.decode(errors="replace"), facts=facts)

    def _callback(self, answers: str) -> Stage:
        """Whether what the installer was sent tells it to report its end."""
        url = self._subject().server.callback_url(self.made.token, "done")
        if url and reports_its_end(answers):
            gets = "the install counts as finished"
            return Stage("callback", f"the installer, at its end: {url}", gets)
        attempts = self.target.install_attempts
        advice = (
            f"nothing that it is sent has {{{{ callback_url }}}}: it is installed at each boot until somebody runs "
            f"`netprov system local`, and after {attempts} starts the install counts as failed"
        )
        trace = self._because("install_attempts", Reason.INSTALL_RUNNING, f"may start {attempts} times")
        gets = "nothing that would end the install"
        return Stage("callback", "the installer, at its end", gets, trace, advice=advice)

    def _afterwards(self) -> Stage:
        """The boot after this one, decided with the install finished."""
        if self.target.install is InstallMode.ALWAYS or not self.decision.installing:
            same = self._because("install", Reason.INSTALL_ALWAYS, f"has install {self.target.install}")
            return Stage("afterwards", "the next boot", next_boot(None, self.target), same)
        done = InstallRecord(InstallState.INSTALLED, token=self.made.token)
        decision = decide(self.asked, self.generation.inventory, BootState({self.decision.record: done}))
        gets = next_boot(done, self.target)
        if decision.action is not Action.LOCAL:
            gets = decision.action.value
        elif self.asked.loader is Loader.XEN:
            gets += ": pygrub starts the kernel there"
        return Stage("afterwards", "the next boot, once it is installed", gets, decision.trace[-1:])
