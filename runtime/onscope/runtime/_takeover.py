"""A second worker that is prepared beside the one in use, and takes over between two windows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from . import _errors
from ._answers import AnswerSlots
from ._clock import now_ns
from ._credit import LENDABLE, answer_slots
from ._dispatch import Dispatcher
from ._errors import PipelineError, ProviderError, WorkerError
from ._events import Event
from ._live_path import closed_error
from ._route import Route
from ._spare import Spare
from ._stage import Stage
from ._supervise import Supervisor
from .worker import VERSION, WorkerLink


class Takeover:
    """Prepares a worker that runs `stage` in the place of the one of that name, or all of them on another provider.

    `run` does all of it. Of the list `provider` it must come to run `only`.

    Whatever fails before the change leaves everything as it was, and the second worker is ended.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        dispatcher: Dispatcher,
        stage: Stage | None = None,
        *,
        provider: str = "",
        only: str = "",
    ) -> None:
        self._supervisor, self._dispatcher, self._stage = supervisor, dispatcher, stage
        self._provider, self._only = provider, only
        self._changed = dispatcher.changed
        self._made: dict[int, tuple[Route, AnswerSlots, Mapping[str, Any]]] = {}

    def run(self, change: Callable[[], object]) -> None:
        """Prepare, wait for the worker in use to be done with what it has, and change over.

        `change` is called at that moment, with the account's lock held: it puts the stage into pipeline and routes.
        Raises PackageError, PipelineError, ProviderError or WorkerError.
        """
        link = self._supervisor.start()
        try:
            with self._changed:
                self._refuse_closed()
                spare = self._supervisor.spare = Spare(link)
                routes = [each for each in self._dispatcher.routes.values() if each.lane.ready and each.stages]
                asked = {route.number: self._message(route) for route in routes}
            for message in asked.values():
                link.send(message)
            opened = self._opened(spare, asked.keys())
            for route in routes:
                if route.number in opened:
                    self._make_slots(link, route, asked[route.number]["stages"], opened[route.number])
            old = self._change_over(link, change)
        except BaseException as error:
            with self._changed:
                self._supervisor.spare = None
            link.kill()
            link.close()
            for _, answers, _ in self._made.values():
                answers.close()
            if isinstance(error, OSError):
                self._refuse_closed()
                raise WorkerError(
                    f"the second worker died while it was prepared ({error}): the first one runs on"
                ) from error
            raise
        old.close()

    def _message(self, route: Route) -> dict[str, Any]:
        terms = self._supervisor.terms
        asked = self._dispatcher.open_message(route, self._provider or terms.provider, terms.threads)
        if (stage := self._stage) is None:
            return asked
        stages = [stage.message() if each["name"] == stage.name else each for each in route.messages]
        return {**asked, "stages": stages, "frozen": []}

    def _opened(self, spare: Spare, asked: Collection[int]) -> dict[int, Mapping[str, Any]]:
        """What it said of the lanes that it was asked to open; of those that are there no more, perhaps nothing."""
        opened: dict[int, Mapping[str, Any]] = {}
        refused = 0
        while len(opened) + refused < len(asked):
            message = spare.link.receive()
            if message is None:
                raise OSError(spare.why or spare.link.epitaph())
            spare.heard()
            kind = message["kind"]
            if kind == "progress" and message["text"]:
                self._supervisor.tell(Event("preparing", f"beside the run: {message['text']}"))
            elif kind == "opened":
                if self._only and message["provider"] != self._only:
                    raise ProviderError("; ".join(message["warnings"]) or f"it came to run {message['provider']}")
                opened[message["lane"]] = message
            elif kind == "refused" and message["lane"] in self._dispatcher.routes:
                raise getattr(_errors, message["error"], WorkerError)(message["message"])
            elif kind == "refused":  # its frames' slots were removed meanwhile
                refused += 1
            elif kind == "hello" and message["version"] != VERSION:
                raise WorkerError(
                    f"found a worker of protocol {message['version']}, expected {VERSION}: update onscope"
                )
        return opened

    def _make_slots(self, link: WorkerLink, route: Route, stages: Any, opened: Mapping[str, Any]) -> None:
        made = AnswerSlots(opened["answers"], stages, answer_slots(link), LENDABLE)
        self._made[route.number] = route, made, opened
        assert route.answers is not None
        for stage in stages:
            if words := route.answers.unlike(made, stage["name"]):
                raise PipelineError(
                    f"found {self._named} with which {stage['name']!r} answers with {words} "
                    f"({route}), expected what readers of the run rely on: make a new Runtime for it"
                )

    @property
    def _named(self) -> str:
        return f"the provider {self._only}" if self._stage is None else f"the package {self._stage.package.name!r}"

    def _change_over(self, link: WorkerLink, change: Callable[[], object]) -> WorkerLink:
        """Change over between two windows; returns the link of the worker that was in use."""
        dispatcher, supervisor = self._dispatcher, self._supervisor
        with self._changed:
            dispatcher.held = True
            try:
                self._changed.wait_for(lambda: self._over or (dispatcher.link is not None and dispatcher.idle))
                self._refuse_closed()
                change()
                old, supervisor.link, supervisor.spare = supervisor.link, link, None
                dispatcher.link = link
                dispatcher.new_worker()
                for number in self._made.keys() - dispatcher.routes.keys():  # removed meanwhile
                    supervisor.send({"kind": "close", "lane": number})
                    self._made.pop(number)[1].close()
                for route in dispatcher.routes.values():
                    self._hand_over(route)
                for each in dispatcher.routes.values():
                    self._send_tuned(each)
                supervisor.listen()
            finally:
                dispatcher.held = False
                dispatcher.pump()
                self._changed.notify_all()
        return old

    def _hand_over(self, route: Route) -> None:
        route.lane.forget_states()
        if self._stage is not None:
            route.frozen.clear()
        if route.answers is not None:
            route.answers.close()
            route.answers = None
        mine = self._made.get(route.number)
        if mine is None:  # it came while the others were prepared
            route.lane.ready, route.asked_ns = False, 0
            self._supervisor.open(route)
            return
        _, route.answers, opened = mine
        route.provider = opened.get("provider", self._supervisor.terms.provider)
        route.report, route.graphs = tuple(opened.get("report", ())), tuple(opened.get("graphs", ()))
        self._dispatcher.warmed(opened)
        self._supervisor.warmed(opened)
        route.lane.ready, route.asked_ns = True, now_ns()  # also where the worker in use has just died
        message = {**route.answers.message, "lane": route.number, "numbers": dict(self._dispatcher.numbers)}
        self._supervisor.send(message)
        self._supervisor.opened(route.number, route.described)

    def _send_tuned(self, route: Route) -> None:
        """What was tuned while this worker was prepared."""
        for message in route.messages:
            if message.get("tuned"):
                tuned = {"stage": message["name"], "settings": message["settings"], "tuned": message["tuned"]}
                self._supervisor.send({"kind": "tune", **tuned})

    @property
    def _over(self) -> bool:
        return self._supervisor.closing or bool(self._supervisor.broken)

    def _refuse_closed(self) -> None:
        if self._supervisor.closing:
            raise closed_error()
        if self._supervisor.broken:
            raise WorkerError(f"{self._supervisor.broken}: nothing can be changed any more, make a new Runtime")
